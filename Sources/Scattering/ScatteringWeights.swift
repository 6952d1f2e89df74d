import Matter

/// What each species scatters of a probe: a coherent amplitude, which may depend on q, and an
/// incoherent intensity.
public struct ScatteringWeights: Sendable {
  /// The amplitude of a species.
  public enum Amplitude: Sendable {
    /// The same at every q, with an imaginary part for strong absorbers.
    case constant(real: Double, imaginary: Double)
    /// A form factor of |q|.
    case formFactor(FormFactor)

    /// Real and imaginary part at |q| in rad/Å.
    public func value(_ q: Double) -> (real: Double, imaginary: Double) {
      switch self {
      case .constant(let real, let imaginary): (real, imaginary)
      case .formFactor(let factor): (factor.value(q), 0)
      }
    }
  }

  /// One species.
  public struct Species: Sendable {
    /// The name that the correlation functions have it by.
    public let name: String
    /// The coherent amplitude.
    public let coherent: Amplitude
    /// The incoherent intensity, the square of an amplitude.
    public let incoherent: Double

    /// A species of given weights.
    public init(name: String, coherent: Amplitude, incoherent: Double) {
      self.name = name
      self.coherent = coherent
      self.incoherent = incoherent
    }
  }

  /// The species, in the order of the correlation functions.
  public let species: [Species]
  /// The unit of a product of two amplitudes: `fm^2`, `1` (electrons squared) or `angstrom^2`.
  public let unit: String
  /// What they are, for the history of a result.
  public let description: String

  /// Weights of one's own.
  public init(species: [Species], unit: String, description: String) {
    self.species = species
    self.unit = unit
    self.description = description
  }

  /// Neutron weights of elements, with chosen isotopes for some of them.
  /// - Throws: a line for each element or isotope that the table does not have.
  public static func neutron(
    _ elements: [Element], isotopes: [Element: IsotopeComposition] = [:]
  ) throws(InputErrors) -> ScatteringWeights {
    var errors: [InputError] = []
    for element in isotopes.keys.sorted() where !elements.contains(element) {
      errors.append(
        InputError(
          "isotopes are given for \(element.symbol), which the trajectory does not have",
          remedy: "It has " + elements.map(\.symbol).joined(separator: ", ")))
    }
    var species: [Species] = []
    for element in elements {
      do throws(InputError) {
        let atom = try NeutronTable.scattering(
          of: element, composition: isotopes[element] ?? .natural)
        species.append(
          Species(
            name: element.symbol, coherent: .constant(real: atom.real, imaginary: atom.imaginary),
            incoherent: atom.incoherent))
      } catch {
        errors.append(error)
      }
    }
    if !errors.isEmpty { throw InputErrors(errors) }
    let text = species.map { s in
      let b = s.coherent.value(0)
      return "\(s.name) b = \(Decimals.text(b.real))"
        + (b.imaginary == 0 ? "" : (b.imaginary < 0 ? "" : "+") + "\(Decimals.text(b.imaginary))i")
        + " fm, b_inc² = \(Decimals.text(s.incoherent)) fm²"
    }
    return ScatteringWeights(
      species: species, unit: "fm^2",
      description: "neutron weights (Sears 1992): " + text.joined(separator: "; "))
  }

  /// Form factors of species; nothing scatters incoherently.
  /// - Throws: a line for each species that the source does not have.
  public static func formFactors(
    _ names: [String], source: FormFactorTable.Source
  ) throws(InputErrors) -> ScatteringWeights {
    var errors: [InputError] = []
    var species: [Species] = []
    for name in names {
      do throws(InputError) {
        let factor = try FormFactorTable.factor(name, source: source)
        species.append(Species(name: name, coherent: .formFactor(factor), incoherent: 0))
      } catch {
        errors.append(error)
      }
    }
    if !errors.isEmpty { throw InputErrors(errors) }
    let (unit, text) =
      switch source {
      case .waasmaierKirfel: ("1", "X-ray form factors (Waasmaier, Kirfel 1995)")
      case .internationalTables: ("1", "X-ray form factors (International Tables C 6.1.1.4)")
      case .peng: ("angstrom^2", "electron scattering factors (Peng 1996, 1998)")
      }
    return ScatteringWeights(species: species, unit: unit, description: text)
  }

  /// Re(f_A* f_B) at |q|: the weight of dynasor's partial of a pair, whose unlike pairs hold both
  /// orders already.
  public func pair(_ a: Int, _ b: Int, q: Double) -> Double {
    let (f, g) = (species[a].coherent.value(q), species[b].coherent.value(q))
    return f.real * g.real + f.imaginary * g.imaginary
  }

  /// The largest q that every form factor was fitted to, in rad/Å.
  public var largestQ: Double {
    species.map {
      if case .formFactor(let factor) = $0.coherent { factor.largestQ } else { .infinity }
    }.min() ?? .infinity
  }
}
