import Matter

/// Follows atoms through the faces of the cell, frame by frame: an atom is taken to have gone the
/// shortest way, in fractions of the cell, since the frame before.
///
/// `lattice` counts the faces passed and adds whole vectors of the present cell: u = w + h·n. It can
/// be undone, keeps molecules whole and agrees with image flags; it is Kulke and Vermaas, J. Chem.
/// Theory Comput. 18, 6161 (2022). `toroidal` adds up displacements, each made shortest in the
/// present cell; it is von Bülow, Bullerjahn and Hummer, J. Chem. Phys. 153, 021101 (2020), and
/// gives unbiased diffusion coefficients of liquids whose cell fluctuates, because h·n fluctuates
/// more the further an atom has gone. But an atom that vibrates across a face gains the change of
/// the cell at each return, so that in a crystal it drifts: there `lattice` is right.
///
/// Both are refused where an atom moves by more than `limit` of the thickness of the cell between
/// two frames. Displacements beyond one half cannot be told from smaller ones the other way; when
/// larger ones are rarer, none above 0.4 means none up to 0.6 was taken for one of those.
public struct Unwrapper: ~Copyable, Sendable {
  /// How positions are continued.
  public enum Scheme: Sendable, Equatable {
    /// Whole vectors of the present cell are added.
    case lattice
    /// Displacements are added up.
    case toroidal
  }
  /// The largest displacement along a cell vector that is followed, as a fraction.
  public static let limit = 0.4

  private let scheme: Scheme
  /// Of the frame before: fractional positions (lattice) or positions (toroidal).
  private let previous: Vectors
  /// Cell vectors to be added (lattice), or the unwrapped positions of the frame before.
  private let carried: Vectors
  private var hasPrevious = false

  /// An unwrapper for frames of so many atoms.
  public init(atomCount: Int, scheme: Scheme = .lattice) {
    self.scheme = scheme
    previous = Vectors(count: atomCount)
    carried = Vectors(count: atomCount)
  }

  /// Replaces the wrapped positions of the next frame by unwrapped ones.
  /// - Parameters:
  ///   - frame: the number of the frame in the file from 1, for messages
  ///   - file: the file, for messages
  /// - Throws: `InputError` naming the atom that moved too far.
  public mutating func unwrap(
    _ positions: borrowing Vectors, cell: Cell?, periodicity: Periodicity = .all, frame: Int = 0,
    file: String? = nil
  ) throws(InputError) {
    precondition(positions.count == previous.count)
    guard let cell else {
      throw InputError(
        "frame \(frame) has no cell, so that its positions cannot be unwrapped", file: file)
    }
    let h = MatrixColumns(cartesian: cell)
    let g = MatrixColumns(cell.fractionalMatrix)
    let (r, old, sum) = (VectorsView(positions), VectorsView(previous), VectorsView(carried))
    let repeats = SIMD3<Double>(
      periodicity.a ? 1 : 0, periodicity.b ? 1 : 0, periodicity.c ? 1 : 0)
    let count = positions.count
    var largest = SIMD3<Double>.zero
    let isFirst = !hasPrevious
    if scheme == .lattice {
      for i in 0..<count {
        let w = r[i]
        let s = g * w
        var n = SIMD3<Double>.zero
        if !isFirst {
          let d = s - old[i]
          let shift = Self.nearest(d) * repeats
          let rest = d - shift
          largest = Self.larger(largest, rest * repeats)
          n = sum[i] - shift
          r[i] = w + h * n
        }
        old[i] = s
        sum[i] = n
      }
    } else {
      for i in 0..<count {
        let w = r[i]
        var u = w
        if !isFirst {
          let d = w - old[i]
          let fraction = g * d
          let shift = Self.nearest(fraction) * repeats
          largest = Self.larger(largest, (fraction - shift) * repeats)
          u = sum[i] + d - h * shift
          r[i] = u
        }
        old[i] = w
        sum[i] = u
      }
    }
    hasPrevious = true
    for k in 0..<3 where !(largest[k] <= Self.limit) {
      let name = ["a", "b", "c"][k]
      let percent = Int((100 * largest[k]).rounded())
      throw InputError(
        "an atom moves by \(percent) % of the cell along \(name) between frames \(frame - 1) and "
          + "\(frame): frames are too far apart to unwrap positions, which needs at most "
          + "\(Int(100 * Self.limit)) %",
        remedy: "Write frames more often, or unwrapped positions or image flags; if the positions "
          + "are unwrapped as they are, say so", file: file)
    }
  }

  /// The nearest whole numbers to numbers below 2⁵¹.
  @inline(__always)
  private static func nearest(_ x: SIMD3<Double>) -> SIMD3<Double> {
    let large = SIMD3<Double>(repeating: 0x1.8p52)
    return (x + large) - large
  }

  @inline(__always)
  private static func larger(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
    [max(a.x, abs(b.x)), max(a.y, abs(b.y)), max(a.z, abs(b.z))]
  }
}
