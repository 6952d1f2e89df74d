import CFFTW
import Matter
import Parallel

/// Fourier transforms of real series of one length, by FFTW.
///
/// Plans are estimated, not timed, so that the same input gives the same bits every time.
/// `@unchecked Sendable`: plans are made under a lock and only read afterwards; FFTW executes them
/// on any thread.
final class RealTransform: @unchecked Sendable {
  /// The number of real values, even.
  let length: Int
  /// The number of doubles of a spectrum: real and imaginary parts of length/2 + 1 numbers.
  var spectrumCount: Int { length + 2 }
  private let forwardPlan, inversePlan: OpaquePointer

  private struct Plans: @unchecked Sendable { let forward, inverse: OpaquePointer? }

  /// Transforms of an even length.
  init(length: Int) {
    precondition(length >= 2 && length % 2 == 0)
    self.length = length
    let series = AlignedBuffer<Double>(count: length)
    let spectrum = AlignedBuffer<Double>(count: length + 2)
    let complex = Self.complex(spectrum.pointer)
    let plans = FourierPlanning.alone {
      Plans(
        forward: fftw_plan_dft_r2c_1d(Int32(length), series.pointer, complex, FFTW_ESTIMATE),
        inverse: fftw_plan_dft_c2r_1d(Int32(length), complex, series.pointer, FFTW_ESTIMATE))
    }
    guard let forward = plans.forward, let inverse = plans.inverse else {
      preconditionFailure("FFTW plans every positive length")
    }
    (forwardPlan, inversePlan) = (forward, inverse)
  }

  deinit {
    FourierPlanning.alone {
      fftw_destroy_plan(forwardPlan)
      fftw_destroy_plan(inversePlan)
    }
  }

  /// The least even length of at least `count` among 1, 3, 5 and 15 times powers of 2, for which
  /// unmeasured plans are fast.
  static func fastLength(_ count: Int) -> Int {
    [1, 3, 5, 15].map { odd in
      var n = 2 * odd
      while n < count { n *= 2 }
      return n
    }.min() ?? 2
  }

  /// X_k = Σ_t x_t exp(−2πi k t / length); both buffers aligned as `AlignedBuffer` is.
  func forward(_ series: UnsafeMutablePointer<Double>, to spectrum: UnsafeMutablePointer<Double>) {
    fftw_execute_dft_r2c(forwardPlan, series, Self.complex(spectrum))
  }

  /// x_t = Σ_k X_k exp(2πi k t / length), without the factor 1/length; destroys the spectrum.
  func inverse(_ spectrum: UnsafeMutablePointer<Double>, to series: UnsafeMutablePointer<Double>) {
    fftw_execute_dft_c2r(inversePlan, Self.complex(spectrum), series)
  }

  private static func complex(_ values: UnsafeMutablePointer<Double>)
    -> UnsafeMutablePointer<fftw_complex>
  {
    UnsafeMutableRawPointer(values).assumingMemoryBound(to: fftw_complex.self)
  }
}
