/// Memory for `count` trivial values, aligned to 64 bytes and padded with zeros by at least 16
/// values, so that a vector load that starts at a valid index never leaves the buffer.
public struct AlignedBuffer<Value: BitwiseCopyable>: ~Copyable {
  /// The number of values.
  public let count: Int
  /// The first value. Valid for `count` plus 16 values while the buffer lives.
  public let pointer: UnsafeMutablePointer<Value>

  /// A buffer with every byte zero.
  public init(count: Int) {
    self.count = count
    let bytes = (count + 16) * MemoryLayout<Value>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    pointer = raw.bindMemory(to: Value.self, capacity: count + 16)
  }

  /// A buffer with the values of an array.
  public init(_ values: [Value]) {
    self.init(count: values.count)
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.update(from: base, count: values.count) }
    }
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }

  /// A value by index in 0..<count.
  public subscript(index: Int) -> Value {
    get {
      precondition(index >= 0 && index < count)
      return pointer[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count)
      pointer[index] = newValue
    }
  }

  /// The values as an array.
  public var array: [Value] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// Replaces all values by those of a buffer of the same count.
  public func copy(from other: borrowing AlignedBuffer) {
    precondition(other.count == count)
    pointer.update(from: other.pointer, count: count)
  }
}
extension AlignedBuffer: @unchecked Sendable where Value: Sendable {}
