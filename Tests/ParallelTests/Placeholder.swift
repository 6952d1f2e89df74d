import Testing
import Parallel
