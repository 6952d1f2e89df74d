import Testing
import Neighbors
