import Matter

/// Checks of the numbers of a frame.
enum Finite {
  /// Names the first vector that is infinite or NaN.
  static func check(_ vectors: borrowing Vectors, what: String, frame: Int)
    throws(ObservableError)
  {
    let (x, y, z) = (vectors.x, vectors.y, vectors.z)
    var sum = 0.0
    for i in 0..<vectors.count { sum += (x[i] + y[i] + z[i]) * 0 }
    if sum == 0 { return }
    for i in 0..<vectors.count {
      let v = vectors[i]
      if !(v.x.isFinite && v.y.isFinite && v.z.isFinite) {
        throw .notFinite(frame: frame, atom: i, what: what)
      }
    }
  }
}
