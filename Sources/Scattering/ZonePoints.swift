import Matter

/// The named points of the Brillouin zone of primitive cells in their usual setting, as fractions
/// of the reciprocal vectors, after Hinuma et al., Comput. Mater. Sci. 128, 140 (2017).
/// What a cell is, is read off its edges and angles.
public enum ZonePoints {
  /// The points of a cell; only `G` (also `GAMMA`) where the setting is none of those known here.
  public static func named(of cell: Cell) -> [String: [Rational]] {
    let lengths = cell.lengths
    let angles = cell.angles
    func equal(_ i: Int, _ j: Int) -> Bool { abs(lengths[i] / lengths[j] - 1) < 2e-3 }
    func angle(_ i: Int, _ degrees: Double) -> Bool { abs(angles[i] - degrees) < 0.2 }
    func allAngles(_ degrees: Double) -> Bool { (0..<3).allSatisfy { angle($0, degrees) } }
    let isEven = equal(0, 1) && equal(1, 2)

    var text: [String: String] = ["G": "0 0 0"]
    if isEven, allAngles(60) {
      text.merge([
        "X": "1/2 0 1/2", "L": "1/2 1/2 1/2", "W": "1/2 1/4 3/4", "W_2": "3/4 1/4 1/2",
        "K": "3/8 3/8 3/4", "U": "5/8 1/4 5/8",
      ]) { $1 }
    } else if isEven, allAngles(109.4712206) {
      text.merge(["H": "1/2 -1/2 1/2", "P": "1/4 1/4 1/4", "N": "0 0 1/2"]) { $1 }
    } else if isEven, allAngles(90) {
      text.merge(["R": "1/2 1/2 1/2", "M": "1/2 1/2 0", "X": "0 1/2 0", "X_1": "1/2 0 0"]) { $1 }
    } else if equal(0, 1), allAngles(90) {
      text.merge([
        "Z": "0 0 1/2", "M": "1/2 1/2 0", "A": "1/2 1/2 1/2", "R": "0 1/2 1/2", "X": "0 1/2 0",
      ]) { $1 }
    } else if equal(0, 1), angle(0, 90), angle(1, 90), angle(2, 120) {
      text.merge([
        "A": "0 0 1/2", "K": "1/3 1/3 0", "H": "1/3 1/3 1/2", "M": "1/2 0 0", "L": "1/2 0 1/2",
      ]) { $1 }
    } else if allAngles(90) {
      text.merge([
        "X": "1/2 0 0", "Z": "0 0 1/2", "U": "1/2 0 1/2", "Y": "0 1/2 0", "S": "1/2 1/2 0",
        "T": "0 1/2 1/2", "R": "1/2 1/2 1/2",
      ]) { $1 }
    }
    var points = text.mapValues {
      $0.split(separator: " ").compactMap { Rational(text: String($0)) }
    }
    points["GAMMA"] = points["G"]
    return points
  }
}
