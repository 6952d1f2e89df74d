import CFFTW
import Matter
import Parallel

/// A Fourier transform of one kind and length, by FFTW. The plan is estimated, not timed, so that
/// the same input gives the same bits every time.
///
/// `@unchecked Sendable`: the plan is made and destroyed alone and only read in between; FFTW
/// executes it on any thread, on memory aligned as `AlignedBuffer` is.
final class FourierTransform: @unchecked Sendable {
  /// What is transformed; spectra of real series hold length/2 + 1 numbers.
  enum Kind {
    /// Complex to complex, Σ x e^{−iωt}.
    case complex
    /// Spectrum to the real series, unnormalized; destroys the spectrum.
    case realInverse
  }
  /// The number of values of the series.
  let length: Int
  private let kind: Kind
  private let plan: OpaquePointer

  private struct Plan: @unchecked Sendable { let pointer: OpaquePointer? }

  /// A transform of any positive length.
  init(_ kind: Kind, length: Int) {
    self.kind = kind
    self.length = length
    let first = AlignedBuffer<Double>(count: 2 * length + 2)
    let second = AlignedBuffer<Double>(count: 2 * length + 2)
    let (a, b) = (first.pointer, second.pointer)
    nonisolated(unsafe) let (x, y) = (a, b)
    let n = Int32(length)
    let made = FourierPlanning.alone { () -> Plan in
      switch kind {
      case .complex:
        Plan(
          pointer: fftw_plan_dft_1d(
            n, Self.numbers(x), Self.numbers(y), FFTW_FORWARD, FFTW_ESTIMATE))
      case .realInverse:
        Plan(pointer: fftw_plan_dft_c2r_1d(n, Self.numbers(y), x, FFTW_ESTIMATE))
      }
    }
    withExtendedLifetime((first.count, second.count)) {}
    guard let plan = made.pointer else { preconditionFailure("FFTW plans every positive length") }
    self.plan = plan
  }

  deinit {
    nonisolated(unsafe) let plan = plan
    FourierPlanning.alone { fftw_destroy_plan(plan) }
  }

  /// Transforms `length` complex numbers, which stay as they are.
  func execute(_ values: UnsafeMutablePointer<Double>, to spectrum: UnsafeMutablePointer<Double>) {
    assert(kind == .complex)
    fftw_execute_dft(plan, Self.numbers(values), Self.numbers(spectrum))
  }

  /// The real series of a spectrum, times its length.
  func inverse(_ spectrum: UnsafeMutablePointer<Double>, to series: UnsafeMutablePointer<Double>) {
    assert(kind == .realInverse)
    fftw_execute_dft_c2r(plan, Self.numbers(spectrum), series)
  }

  /// The least length of at least `count` that is 1, 3, 5 or 9 times a power of 2, times 4: these
  /// are faster than shorter ones with more factors 5 (1536: 6.0 µs, 1500: 11.7 µs).
  static func fastLength(_ count: Int) -> Int {
    [4, 12, 20, 36].map { factor in
      var n = factor
      while n < count { n *= 2 }
      return n
    }.min() ?? count
  }

  private static func numbers(
    _ values: UnsafeMutablePointer<Double>
  ) -> UnsafeMutablePointer<fftw_complex> {
    UnsafeMutableRawPointer(values).assumingMemoryBound(to: fftw_complex.self)
  }
}

/// Transforms of real lines, one beside the other, in place: Σ x e^{−iωt}, length/2 + 1 numbers of
/// each.
///
/// `@unchecked Sendable`: as `FourierTransform`.
final class LineTransforms: @unchecked Sendable {
  private let plan: OpaquePointer

  private struct Plan: @unchecked Sendable { let pointer: OpaquePointer? }

  /// Transforms of `count` lines of `length` doubles, `stride` ≥ length + 2 apart and even.
  init(length: Int, count: Int, stride: Int) {
    precondition(stride >= length + 2 && stride % 2 == 0)
    let buffer = AlignedBuffer<Double>(count: count * stride)
    let b = buffer.pointer
    nonisolated(unsafe) let x = b
    let made = FourierPlanning.alone { () -> Plan in
      var n = Int32(length)
      return Plan(
        pointer: fftw_plan_many_dft_r2c(
          1, &n, Int32(count), x, nil, 1, Int32(stride),
          UnsafeMutableRawPointer(x).assumingMemoryBound(to: fftw_complex.self), nil, 1,
          Int32(stride / 2), FFTW_ESTIMATE))
    }
    withExtendedLifetime(buffer.count) {}
    guard let plan = made.pointer else { preconditionFailure("FFTW plans every positive length") }
    self.plan = plan
  }

  deinit {
    nonisolated(unsafe) let plan = plan
    FourierPlanning.alone { fftw_destroy_plan(plan) }
  }

  /// Transforms all lines from `first` on.
  func execute(_ first: UnsafeMutablePointer<Double>) {
    fftw_execute_dft_r2c(
      plan, first, UnsafeMutableRawPointer(first).assumingMemoryBound(to: fftw_complex.self))
  }
}
