/// Where the atoms of a frame go that may stand in any order: by their numbers, as the first frame
/// has them in ascending order.
struct AtomOrder {
  /// The numbers of the first frame, in ascending order.
  private let sorted: [Int]
  /// The place of each number from the lowest on, where the numbers are dense enough.
  private let table: [Int32]
  /// The frame in which each place was filled last, counted from 1.
  private var filled: [Int32]
  private var frame: Int32 = 0

  /// The order of the numbers of a first frame; nil if one is there twice.
  init?(_ numbers: [Int]) {
    sorted = numbers.sorted()
    filled = [Int32](repeating: 0, count: numbers.count)
    guard let first = sorted.first, let last = sorted.last else { return nil }
    for (a, b) in zip(sorted, sorted.dropFirst()) where a == b { return nil }
    let (span, over) = last.subtractingReportingOverflow(first)
    guard !over, span < 8 * numbers.count + 1024 else {
      table = []
      return
    }
    var table = [Int32](repeating: -1, count: span + 1)
    for (place, number) in sorted.enumerated() { table[number - first] = Int32(place) }
    self.table = table
  }

  /// What is wrong with the number of an atom.
  enum Problem: Error { case unknown, twice }

  /// Begins a frame.
  mutating func begin() { frame &+= 1 }

  /// The place of an atom by its number, once in each frame.
  @inline(__always)
  mutating func place(of number: Int) throws(Problem) -> Int {
    var place = -1
    if !table.isEmpty {
      let (offset, over) = number.subtractingReportingOverflow(sorted[0])
      if !over, offset >= 0, offset < table.count { place = Int(table[offset]) }
    } else {
      var (low, high) = (0, sorted.count)
      while low < high {
        let middle = (low + high) / 2
        if sorted[middle] < number { low = middle + 1 } else { high = middle }
      }
      if low < sorted.count, sorted[low] == number { place = low }
    }
    guard place >= 0 else { throw .unknown }
    guard filled[place] != frame else { throw .twice }
    filled[place] = frame
    return place
  }
}
