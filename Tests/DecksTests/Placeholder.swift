import Testing
import Decks
