/// The values that more than one module has to know, each written here only.
///
/// What a server may be configured to do otherwise is named `…Default`; what the protocol fixes is named `…Max`.
public enum WireLimit {
  public static let hostDefault = "127.0.0.1"
  public static let portDefault = 8080

  /// Seconds that a poll is held when it names no `timeout`.
  public static let pollTimeoutSecondsDefault = 30.0
  /// Seconds above which a server lowers a `timeout`.
  public static let pollTimeoutMaxSecondsDefault = 60.0

  /// Messages in one answer (and channels in one page of the list) when the request names no `limit`.
  public static let limitDefault = 100
  public static let limitMax = 1000

  public static let channelsPerPollMax = 64
  public static let clientIDBytesMax = 128
  public static let idempotencyKeyBytesMax = 255

  /// The bytes of one published body.
  public static let bodyBytesMaxDefault = 256 << 10
  /// The items of one batch.
  public static let batchItemsMax = 1000
  /// How deep the JSON of a message may be nested.
  public static let jsonDepthMax = 512
}
