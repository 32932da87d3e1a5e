import Testing

/// What happens at the limits and when the other side misbehaves, seen from outside the built binary.
///
/// One after another: each of these tests loads the machine or counts on a second being a second.
@Suite("Faults", .serialized)
struct FaultTests {}
