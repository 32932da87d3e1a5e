import DequeModule

/// Values by key, each at an index that is its own as long as it is used. One that is used no longer keeps its place
/// until another key needs it: whose poll was answered polls again, and finds its place by one look-up, with nothing
/// to insert and nothing to remove. So it has as many places as were used at once.
///
///     hash of a key ──► buckets ──► places[index]: key, value
///                                        ▲
///     idle: places out of use, oldest ───┘
///
/// A bucket is eight bytes and there are at least two for each place; a dictionary would hold every key once more, in
/// buckets of 32 bytes.
struct RecyclingTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Place: Sendable {
    var key: Key
    var value: Value
    var isUsed = true
    /// Whether it stands in `idle`; it may be used again by then.
    var isQueued = false
  }

  /// Stands at the first free place behind where its key's hash points.
  private struct Bucket: Sendable {
    /// Of the place; negative where the bucket is free.
    var index: Int32 = -1
    /// The upper half of the hash, so that other keys are nearly always passed over without a look at their places.
    var hash: UInt32 = 0
  }

  /// Places for so many are kept when nothing is used any more.
  private static var keptMax: Int { 32 }

  /// Their count is 0 or a power of two.
  private var buckets: ContiguousArray<Bucket> = []
  private var places: ContiguousArray<Place> = []
  /// Places that came out of use, oldest first.
  private var idle: Deque<Int32> = []
  private(set) var usedCount = 0

  var usedKeys: some Sequence<Key> { places.lazy.filter(\.isUsed).map(\.key) }

  /// Where a key's value stands, used or not.
  func index(of key: Key) -> Int32? {
    buckets.isEmpty ? nil : find(key, UInt(bitPattern: key.hashValue)).map { buckets[$0].index }
  }

  /// Where the value of a key in use stands.
  func usedIndex(of key: Key) -> Int32? {
    if let index = index(of: key), places[Int(index)].isUsed { index } else { nil }
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
    let place = Place(key: key, value: value)
    while let index = idle.popFirst() {
      places[Int(index)].isQueued = false
      if places[Int(index)].isUsed { continue }
      removeBucket(of: places[Int(index)].key)
      places[Int(index)] = place
      insertBucket(index)
      return index
    }
    places.append(place)
    if places.count * 2 > buckets.count { growBuckets() } else { insertBucket(Int32(places.count - 1)) }
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

  // MARK: Buckets

  private func find(_ key: Key, _ hash: UInt) -> Int? {
    let mask = buckets.count - 1
    let upper = UInt32(truncatingIfNeeded: hash >> 32)
    var bucket = Int(truncatingIfNeeded: hash) & mask
    while buckets[bucket].index >= 0 {
      if buckets[bucket].hash == upper, places[Int(buckets[bucket].index)].key == key { return bucket }
      bucket = (bucket + 1) & mask
    }
    return nil
  }

  private mutating func insertBucket(_ index: Int32) {
    let mask = buckets.count - 1
    let hash = UInt(bitPattern: places[Int(index)].key.hashValue)
    var bucket = Int(truncatingIfNeeded: hash) & mask
    while buckets[bucket].index >= 0 { bucket = (bucket + 1) & mask }
    buckets[bucket] = Bucket(index: index, hash: UInt32(truncatingIfNeeded: hash >> 32))
  }

  private mutating func growBuckets() {
    buckets = ContiguousArray(repeating: Bucket(), count: max(8, buckets.count * 2))
    for index in places.indices { insertBucket(Int32(index)) }
  }

  /// Frees a key's bucket, and moves up those behind it that would not be found any more.
  private mutating func removeBucket(of key: Key) {
    let mask = buckets.count - 1
    guard var free = find(key, UInt(bitPattern: key.hashValue)) else { return }
    var bucket = free
    while true {
      bucket = (bucket + 1) & mask
      if buckets[bucket].index < 0 { break }
      let home = places[Int(buckets[bucket].index)].key.hashValue & mask
      // It may move where its search would still come by: not to before its home.
      if (bucket - home) & mask >= (bucket - free) & mask {
        buckets[free] = buckets[bucket]
        free = bucket
      }
    }
    buckets[free] = Bucket()
  }
}
