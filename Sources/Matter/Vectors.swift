/// `count` vectors as separate x, y and z arrays, each padded and aligned as `AlignedBuffer` is.
public struct Vectors: ~Copyable, Sendable {
  /// The number of vectors.
  public let count: Int
  private let storage: AlignedBuffer<Double>
  private let stride: Int

  /// `count` zero vectors.
  public init(count: Int) {
    self.count = count
    stride = (count + 16 + 7) / 8 * 8
    storage = AlignedBuffer(count: 3 * stride)
  }

  /// Vectors with the values of an array.
  public init(_ values: [SIMD3<Double>]) {
    self.init(count: values.count)
    for (i, v) in values.enumerated() { self[i] = v }
  }

  /// The x components; valid while the vectors live.
  public var x: UnsafeMutablePointer<Double> { storage.pointer }
  /// The y components; valid while the vectors live.
  public var y: UnsafeMutablePointer<Double> { storage.pointer + stride }
  /// The z components; valid while the vectors live.
  public var z: UnsafeMutablePointer<Double> { storage.pointer + 2 * stride }

  /// A vector by index in 0..<count.
  public subscript(index: Int) -> SIMD3<Double> {
    get {
      precondition(index >= 0 && index < count)
      return [x[index], y[index], z[index]]
    }
    nonmutating set {
      precondition(index >= 0 && index < count)
      x[index] = newValue.x
      y[index] = newValue.y
      z[index] = newValue.z
    }
  }

  /// The vectors as an array.
  public var array: [SIMD3<Double>] { (0..<count).map { self[$0] } }

  /// Replaces all vectors by those of the same count.
  public func copy(from other: borrowing Vectors) {
    precondition(other.count == count)
    storage.copy(from: other.storage)
  }
}
