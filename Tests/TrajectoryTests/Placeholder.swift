import Testing
import Trajectory
