import Matter

/// Checks of the numbers of a frame.
enum Finite {
  /// Names the first vector that is infinite or NaN.
  static func check(_ vectors: borrowing Vectors, what: String, frame: Int)
    throws(ObservableError)
  {
    var sum = 0.0
    for i in 0..<vectors.count { sum += (vectors.x[i] + vectors.y[i] + vectors.z[i]) * 0 }
    if sum == 0 { return }
    for i in 0..<vectors.count {
      let v = vectors[i]
      if !(v.x.isFinite && v.y.isFinite && v.z.isFinite) {
        throw .notFinite(frame: frame, atom: i, what: what)
      }
    }
  }
}
