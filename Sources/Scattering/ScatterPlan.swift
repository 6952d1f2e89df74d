import Matter

/// A checked scatter deck with every default filled in. q in rad/Å, times in fs, energies in meV,
/// temperatures in K.
public struct ScatterPlan: Sendable, Equatable {
  /// Which q-points.
  public enum Points: Sendable, Equatable {
    /// Cartesian vectors; snapped to the nearest lattice points, or refused beside them.
    case cartesian([SIMD3<Double>], snap: Bool)
    /// Integer multiples of the supercell's reciprocal vectors.
    case supercell([SIMD3<Int>])
    /// Multiples of the reciprocal vectors of another cell, read from a structure file.
    case ofCell(String, [SIMD3<Double>], snap: Bool)
    /// Lattice points with |q| in a range; without a count all of them.
    case sphere(minimum: Double, maximum: Double, count: Int?, seed: UInt32)
    /// Straight lines through the zones of a primitive cell.
    case paths(Paths)
  }
  /// Lines through the Brillouin zones of a cell.
  public struct Paths: Sendable, Equatable {
    /// A structure file with the cell.
    public var primitive: String
    /// Corners of each line, two or more.
    public var segments: [[Corner]]
    /// Points that have names beside those of the cell's shape.
    public var labels: [String: [Rational]]
    /// Which zones.
    public var zones: Zones
    /// A value of its members.
    public init(
      primitive: String, segments: [[Corner]], labels: [String: [Rational]] = [:],
      zones: Zones = .list([.zero])
    ) {
      self.primitive = primitive
      self.segments = segments
      self.labels = labels
      self.zones = zones
    }
  }
  /// A corner of a path.
  public enum Corner: Sendable, Equatable {
    /// A point with a name.
    case label(String)
    /// Three fractions of the cell's reciprocal vectors.
    case coordinates([Rational])
  }
  /// Zones of a path.
  public enum Zones: Sendable, Equatable {
    /// Integer multiples of the cell's reciprocal vectors.
    case list([SIMD3<Int>])
    /// All whose centre lies at |G| up to this.
    case within(Double)
  }
  /// A lag.
  public enum Lag: Sendable, Equatable {
    /// In frames.
    case frames(Int)
    /// In fs.
    case time(Double)
  }
  /// What is correlated.
  public struct Correlation: Sendable, Equatable {
    /// The longest lag; nil: 500 frames, or half of those there are.
    public var maximumLag: Lag?
    /// Every how many frames an origin stands.
    public var originStride = 1
    /// The functions.
    public var kinds: CorrelationKinds = [.coherent, .incoherent]
    /// What multiplies F(t) before its transform.
    public var window = Taper.none
    /// Parts of a trajectory whose spread gives errors.
    public var blocks = 5
    /// Defaults.
    public init() {}
  }
  /// A spherical average.
  public struct ShellChoice: Sendable, Equatable {
    /// The distance of shells and the width of bins; σ of the Gaussian.
    public var width: Double
    /// Whether points count by a Gaussian, or once in a bin.
    public var isGaussian: Bool
    /// A value of its members.
    public init(width: Double, isGaussian: Bool) {
      self.width = width
      self.isGaussian = isGaussian
    }
  }
  /// What atoms scatter.
  public enum Weights: Sendable, Equatable {
    /// Raw functions only.
    case none
    /// Neutron lengths and cross sections.
    case neutron
    /// X-ray form factors.
    case xray
    /// Electron form factors.
    case electron
    /// Coherent lengths (fm) and incoherent cross sections (barn) of one's own.
    case given([Element: Length])
  }
  /// The scattering of an element.
  public struct Length: Sendable, Equatable {
    /// The coherent length, in fm.
    public var coherent: Double
    /// The incoherent cross section, in barn.
    public var incoherent: Double
    /// A value of its members.
    public init(coherent: Double, incoherent: Double) {
      self.coherent = coherent
      self.incoherent = incoherent
    }
  }
  /// What makes the classical spectrum a quantum one.
  public enum Quantum: String, Sendable, CaseIterable {
    case none
    case harmonic
    case schofield
    case standard
    case harmonicSchofield = "harmonic-schofield"
    case egelstaff
    case orderResolved = "order-resolved"
  }
  /// Division by Debye–Waller factors.
  public enum DebyeWallerChoice: Sendable, Equatable {
    case none
    /// With the displacements that the run shows.
    case run
    /// U = ⟨|r − ⟨r⟩|²⟩ of every species, in Å².
    case given(Double)
  }
  /// An instrument.
  public struct InstrumentChoice: Sendable, Equatable {
    /// The name.
    public var name: String
    /// The incident energy, in meV.
    public var incidentEnergy: Double?
    /// The final energy of an own indirect instrument, in meV.
    public var finalEnergy: Double?
    /// The chopper package.
    public var chopper: String?
    /// The frequency of the chopper, in Hz.
    public var frequency: Double?
    /// The monochromator.
    public var monochromator: String?
    /// Banks of an own instrument, in degrees.
    public var angles: [ClosedRange<Double>]?
    /// σ as a polynomial in the energy transfer, in meV.
    public var resolution: [Double]?
    /// An instrument by name.
    public init(name: String) { self.name = name }

    /// The instrument.
    /// - Throws: for what does not go together.
    public func instrument() throws(InputError) -> Instrument {
      let width = resolution.map { Resolution.polynomial($0) }
      guard let angles else {
        if finalEnergy != nil {
          throw InputError(
            "`final_energy` belongs to an instrument of your own", remedy: "Give its `angles` too")
        }
        return try Instrument.named(
          name,
          Instrument.Settings(
            incidentEnergy: incidentEnergy, chopper: chopper, frequency: frequency,
            monochromator: monochromator, resolution: width))
      }
      let geometry: Instrument.Geometry
      switch (incidentEnergy, finalEnergy) {
      case (let energy?, nil): geometry = .direct(incidentEnergy: energy)
      case (nil, let energy?): geometry = .indirect(finalEnergy: energy)
      default:
        throw InputError(
          "an instrument with `angles` has one fixed energy",
          remedy: "Give `incident_energy` (direct) or `final_energy` (indirect)")
      }
      return try Instrument(
        name: name, geometry: geometry,
        banks: angles.enumerated().map {
          Instrument.Bank(name: "bank \($0.offset + 1)", angles: $0.element)
        }, resolution: width)
    }
  }
  /// The unit of energies in the result.
  public enum EnergyUnit: String, Sendable, CaseIterable {
    case meV
    case wavenumber = "cm-1"
    case terahertz = "THz"
    /// One meV in this unit.
    public var perMilli: Double {
      switch self {
      case .meV: 1
      case .wavenumber: Units.wavenumber
      case .terahertz: 1 / Units.terahertz
      }
    }
  }

  /// The q-points.
  public var points: Points
  /// What is correlated.
  public var correlation = Correlation()
  /// The spherical average.
  public var shells: ShellChoice?
  /// What atoms scatter.
  public var weights = Weights.none
  /// Isotopes by element, as text: a name, or names with fractions.
  public var isotopes: [Element: [Isotope]] = [:]
  /// The temperature; nil: as the run says.
  public var temperature: Double?
  /// The quantum correction.
  public var quantum = Quantum.none
  /// Whether a spectrum is corrected before it is blurred.
  public var quantumFirst = false
  /// Division by Debye–Waller factors.
  public var debyeWaller = DebyeWallerChoice.none
  /// Whether intensities are divided by q².
  public var dividesByQSquare = false
  /// Whether intensities are multiplied by E², for display.
  public var timesEnergySquare = false
  /// The instrument.
  public var instrument: InstrumentChoice?
  /// σ of the average about each q in spectra; nil: that of the shells, or 0.1.
  public var spectrumWidth: Double?
  /// The unit of energies.
  public var energyUnit = EnergyUnit.meV
  /// The largest energy of spectra, in meV.
  public var largestEnergy: Double?
  /// The step of energies of spectra, in meV; nil: that of the lags.
  public var energyStep: Double?

  /// A part of an element.
  public struct Isotope: Sendable, Equatable {
    /// Its name, as D or H-2.
    public var name: String
    /// The fraction of the atoms.
    public var fraction: Double
    /// A value of its members.
    public init(name: String, fraction: Double) {
      self.name = name
      self.fraction = fraction
    }
  }

  /// A plan of points, with defaults.
  public init(points: Points) { self.points = points }

  /// What the plan asks for that cannot go together, with the key it is about.
  public var conflicts: [(key: String, error: InputError)] {
    var found: [(key: String, error: InputError)] = []
    func add(_ key: String, _ message: String, _ remedy: String) {
      found.append((key, InputError(message, remedy: remedy)))
    }
    if correlation.kinds.isEmpty {
      add(
        "correlation", "correlation: no function is asked for",
        "Set coherent, incoherent or currents: true")
    }
    if shells != nil {
      if case .sphere(_, _, nil, _) = points, correlation.kinds.contains(.incoherent) {
        add(
          "shells", "shells: incoherent functions are not made at every point of a sphere",
          "Set correlation: {incoherent: false}, or give the sphere a count")
      }
      if case .paths = points {
        add("shells", "shells: a path is no sphere", "Remove the key, or give q: {sphere: …}")
      }
    }
    let isCorrected =
      quantum != .none || debyeWaller != .none || dividesByQSquare || timesEnergySquare
      || instrument != nil
    if weights == .none, isCorrected {
      add(
        "weights", "weights: corrections and instruments need to know what atoms scatter",
        "Write weights: neutron, xray or electron")
    }
    if weights != .none, correlation.kinds.isDisjoint(with: [.coherent, .incoherent]) {
      add(
        "weights", "weights: currents are not weighted",
        "Set correlation: {coherent: true}, or remove the key")
    }
    if case .neutron = weights {
    } else if !isotopes.isEmpty {
      add("isotopes", "isotopes: they belong to weights: neutron", "Remove the key")
    }
    if quantum == .orderResolved {
      if !correlation.kinds.contains(.incoherent) {
        add(
          "quantum_correction",
          "quantum_correction: order-resolved takes the vibrations from incoherent functions",
          "Set correlation: {incoherent: true}")
      }
      if shells != nil {
        add(
          "quantum_correction",
          "quantum_correction: order-resolved is made point by point, before shells are",
          "Remove shells; spectra are averaged about each q in any case")
      }
    }
    if let instrument {
      do throws(InputError) { _ = try instrument.instrument() } catch {
        add("instrument", "instrument: \(error.message)", error.remedy)
      }
    }
    return found
  }
}
