import Matter
import Trajectory

/// A checked analyze deck with every default filled in. Times are in ps, lengths in Å. An observable
/// that is nil is not asked for.
public struct AnalysisPlan: Sendable, Equatable {
  /// What files do not say, and which part of them is used.
  public struct Source: Sendable, Equatable {
    /// Time between stored frames or rows, in ps; nil: as the file says.
    public var timestep: Double?
    /// A structure file with the same atoms in the same order.
    public var topology: String?
    /// The element of each atom or type.
    public var elements: [Element]?
    /// The units of a LAMMPS file that does not tell.
    public var units: LAMMPSUnits?
    /// The part used, from the first frame of the file.
    public var first, last: Double?
    /// Every how many frames or rows one is used.
    public var every = 1
    /// Whole files as they are.
    public init() {}
  }
  /// Mean square displacements.
  public struct Displacement: Sendable, Equatable {
    /// The longest lag; nil: half of the run.
    public var maximumLag: Double?
    /// Whether the centres of mass of molecules are followed.
    public var molecules = true
    /// Whether the motion of the centre of mass of all atoms is subtracted.
    public var removeDrift = false
    /// Defaults.
    public init() {}
  }
  /// Radial distribution functions.
  public struct Radial: Sendable, Equatable {
    /// The largest distance.
    public var cutoff = 10.0
    /// The number of bins.
    public var bins = 400
    /// Pairs of elements; nil: all.
    public var pairs: [[Element]]?
    /// Spans of time from the first frame; nil: first and last fifth after the first tenth.
    public var windows: [ClosedRange<Double>]?
    /// Defaults.
    public init() {}
  }
  /// Stresses.
  public struct Stress: Sendable, Equatable {
    /// Rows in the moving window.
    public var window = 1000
    /// Whether Green–Kubo integrals are made.
    public var viscosity = true
    /// Defaults.
    public init() {}
  }
  /// The potential energy.
  public struct Energy: Sendable, Equatable {
    /// Rows in the moving window.
    public var window = 1000
    /// Defaults.
    public init() {}
  }
  /// The heat capacity.
  public struct HeatCapacity: Sendable, Equatable {
    /// Whether the harmonic quantum correction is made, where velocities are there.
    public var quantum = true
    /// Defaults.
    public init() {}
  }
  /// Velocity autocorrelations.
  public struct Velocities: Sendable, Equatable {
    /// The longest lag.
    public var maximumLag = 5.0
    /// The window function of the spectrum.
    public var window = Window.hann
    /// Window functions.
    public enum Window: String, Sendable, CaseIterable { case hann, none }
    /// Defaults.
    public init() {}
  }
  /// Molecules.
  public struct Molecules: Sendable, Equatable {
    /// Bonds are shorter than this times the sum of covalent radii.
    public var bondFactor = 1.25
    /// Whether the herringbone angle is followed.
    public var herringbone = true
    /// Defaults.
    public init() {}
  }
  /// A named group of atoms.
  public struct Group: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// What belongs to it.
    public var members: [Member]
    /// A part of a group.
    public enum Member: Sendable, Equatable {
      /// All atoms of an element.
      case element(Element)
      /// Atoms by number from 1, both ends included.
      case atoms(ClosedRange<Int>)
    }
    /// A group.
    public init(name: String, members: [Member]) {
      self.name = name
      self.members = members
    }
  }

  /// What files do not say.
  public var source = Source()
  /// The observables asked for.
  public var msd: Displacement?
  /// Radial distribution functions.
  public var rdf: Radial?
  /// Whether means of temperature, pressure and cell are asked for.
  public var averages = false
  /// Stresses.
  public var stress: Stress?
  /// The potential energy.
  public var energy: Energy?
  /// The heat capacity.
  public var heatCapacity: HeatCapacity?
  /// Velocity autocorrelations.
  public var vacf: Velocities?
  /// Molecules.
  public var molecules: Molecules?
  /// Groups of atoms besides the elements.
  public var groups: [Group] = []
  /// Parts of a run whose spread gives errors.
  public var blocks = 5

  /// Nothing asked for.
  public init() {}

  /// Every observable with its defaults.
  public static var everything: AnalysisPlan {
    var plan = AnalysisPlan()
    plan.askForEverything()
    return plan
  }

  /// Whether no observable is asked for.
  public var asksForNothing: Bool {
    msd == nil && rdf == nil && !averages && stress == nil && energy == nil && heatCapacity == nil
      && vacf == nil && molecules == nil
  }

  /// Asks for every observable with its defaults.
  public mutating func askForEverything() {
    msd = Displacement()
    rdf = Radial()
    averages = true
    stress = Stress()
    energy = Energy()
    heatCapacity = HeatCapacity()
    vacf = Velocities()
    molecules = Molecules()
  }
}
