import Testing
import NEP
