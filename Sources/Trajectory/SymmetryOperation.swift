import Matter

/// A symmetry operation of a crystal on fractional coordinates, such as `-x, y+1/2, -z`.
package struct SymmetryOperation: Sendable, Equatable {
  /// The integer matrix that acts on a column of fractional coordinates.
  package var rotation: Matrix3
  /// The shift, in fractions of the cell.
  package var translation: SIMD3<Double>

  /// The operation that changes nothing.
  package static let identity = SymmetryOperation(rotation: .identity, translation: .zero)

  /// An operation of a matrix and a shift.
  package init(rotation: Matrix3, translation: SIMD3<Double>) {
    self.rotation = rotation
    self.translation = translation
  }

  /// An operation in the words of CIF, or nil if the text is none.
  package init?(_ text: String) {
    let parts = text.lowercased().split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    rotation = .zero
    translation = .zero
    for (row, part) in parts.enumerated() {
      let characters = part.filter { $0 != " " && $0 != "\t" && $0 != "'" && $0 != "\"" }
      guard !characters.isEmpty else { return nil }
      var sign = 1.0
      var number = ""
      var fresh = true
      var index = characters.startIndex
      func flush(_ number: String) -> Double? {
        let parts = number.split(separator: "/", omittingEmptySubsequences: false)
        let values = parts.compactMap { NumberText.double(Array($0.utf8)[...]) }
        guard values.count == parts.count else { return nil }
        switch values.count {
        case 1: return values[0]
        case 2 where values[1] != 0: return values[0] / values[1]
        default: return nil
        }
      }
      while index < characters.endIndex {
        let c = characters[index]
        switch c {
        case "+", "-":
          if !number.isEmpty {
            guard let value = flush(number) else { return nil }
            translation[row] += sign * value
            number = ""
          } else if !fresh, let last = characters[..<index].last, last == "+" || last == "-" {
            return nil
          }
          sign = c == "-" ? -1 : 1
        case "x", "y", "z":
          var factor = 1.0
          if !number.isEmpty {
            if number.hasSuffix("*") { number.removeLast() }
            guard let value = flush(number) else { return nil }
            factor = value
            number = ""
          }
          rotation[row, c == "x" ? 0 : c == "y" ? 1 : 2] += sign * factor
        case "0"..."9", ".", "/", "*": number.append(c)
        default: return nil
        }
        fresh = false
        index = characters.index(after: index)
      }
      if !number.isEmpty {
        guard let value = flush(number) else { return nil }
        translation[row] += sign * value
      }
    }
    guard abs(abs(rotation.determinant) - 1) < 1e-9 else { return nil }
  }

  /// The image of a point, in fractional coordinates.
  package func callAsFunction(_ s: SIMD3<Double>) -> SIMD3<Double> { rotation * s + translation }
}
