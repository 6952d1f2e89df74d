import Foundation

/// Where neutrons are absorbed in a tube of ³He.
package enum TubeDetector {
  /// The variance of the depth along the beam, in squares of the radius, of a tube whose diameter is
  /// the given number of mean free paths: ¼ for a thin gas, ⅔ − π²/16 for a black one.
  package static func variance(meanFreePaths: Double) -> Double {
    var (weight, first, second) = (0.0, 0.0, 0.0)
    for (u, w) in gauss {
      // b = sin(πu/2) takes the square root out of the edge of the tube.
      let b = sin(.pi / 2 * u)
      let half = (1 - b * b).squareRoot()
      let outer = cos(.pi / 2 * u) * w * half
      for (v, inner) in gauss {
        let x = half * v
        let p = outer * inner * exp(-meanFreePaths / 2 * (x + half))
        weight += p
        first += p * x
        second += p * x * x
      }
    }
    let mean = first / weight
    return second / weight - mean * mean
  }

  /// Nodes and weights of Gauss and Legendre's rule of 80 points on −1...1.
  private static let gauss: [(node: Double, weight: Double)] = {
    let n = 80
    return (0..<n).map { i in
      var x = cos(.pi * (Double(i) + 0.75) / (Double(n) + 0.5))
      var derivative = 1.0
      for _ in 0..<100 {
        var (p, previous) = (1.0, 0.0)
        for k in 1...n {
          (p, previous) = (
            (Double(2 * k - 1) * x * p - Double(k - 1) * previous) / Double(k), p
          )
        }
        derivative = Double(n) * (x * p - previous) / (x * x - 1)
        let change = p / derivative
        x -= change
        if abs(change) < 1e-16 { break }
      }
      return (x, 2 / ((1 - x * x) * derivative * derivative))
    }
  }()
}
