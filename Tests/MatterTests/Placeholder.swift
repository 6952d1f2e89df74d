import Testing
import Matter
