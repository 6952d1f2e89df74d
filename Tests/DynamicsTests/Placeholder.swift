import Testing
import Dynamics
