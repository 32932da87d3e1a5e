import DequeModule

/// Values by key, each at an index that is its own as long as it is used. One that is used no longer keeps its place
/// until another key needs it: whose poll was answered polls again, and finds its place by one look-up, with nothing
/// to insert and nothing to remove. So it has as many places as were used at once.
struct RecyclingTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Place: Sendable {
    var key: Key
    var value: Value
    var isUsed = true
    /// Whether it stands in `idle`; it may be used again by then.
    var isQueued = false
  }

  /// Places for so many are kept when nothing is used any more.
  private static var keptMax: Int { 256 }

  private var indices: [Key: Int32] = [:]
  private var places: ContiguousArray<Place> = []
  /// Places that came out of use, oldest first.
  private var idle: Deque<Int32> = []
  private(set) var usedCount = 0

  var usedKeys: some Sequence<Key> { places.lazy.filter(\.isUsed).map(\.key) }

  /// Where a key's value stands, used or not.
  func index(of key: Key) -> Int32? { indices[key] }

  /// Where the value of a key in use stands.
  func usedIndex(of key: Key) -> Int32? {
    if let index = indices[key], places[Int(index)].isUsed { index } else { nil }
  }

  func isUsed(_ index: Int32) -> Bool { Int(index) < places.count && places[Int(index)].isUsed }

  func key(at index: Int32) -> Key { places[Int(index)].key }

  subscript(index: Int32) -> Value {
    get { places[Int(index)].value }
    _modify { yield &places[Int(index)].value }
  }

  /// Takes a place into use.
  /// - Parameter index: What ``index(of:)`` has just given for the key.
  mutating func use(_ key: Key, at index: Int32?, _ value: Value) -> Int32 {
    usedCount += 1
    if let index {
      places[Int(index)].value = value
      places[Int(index)].isUsed = true
      return index
    }
    let index = makePlace(key, value)
    indices[key] = index
    return index
  }

  private mutating func makePlace(_ key: Key, _ value: Value) -> Int32 {
    while let index = idle.popFirst() {
      places[Int(index)].isQueued = false
      if places[Int(index)].isUsed { continue }
      indices[places[Int(index)].key] = nil
      places[Int(index)] = Place(key: key, value: value)
      return index
    }
    places.append(Place(key: key, value: value))
    return Int32(places.count - 1)
  }

  /// Ends the use of a place.
  mutating func leave(_ index: Int32) {
    usedCount -= 1
    if usedCount == 0 && places.count > Self.keptMax {
      // Everybody has gone: give back the memory that a crowd needed.
      self = RecyclingTable()
      return
    }
    places[Int(index)].isUsed = false
    if places[Int(index)].isQueued { return }
    places[Int(index)].isQueued = true
    idle.append(index)
  }
}
