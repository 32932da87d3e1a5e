public import HoldfastProtocol

extension HoldfastClient {
  /// How much longer than the server's wait a client waits for its answer: a poll is answered within its timeout + 1 s.
  static let pollGrace = Duration.seconds(5)
  /// How long the answer to a request that reads without waiting may take to begin.
  static let readTimeout = Duration.seconds(10)

  /// Asks once for what follows a cursor, and lets the server hold the request until there is something.
  ///
  /// Most programs want ``subscribe(to:from:limit:store:onNotice:)-([String],_,_,_,_)``, which does this again and again.
  ///
  /// - Parameters:
  ///   - channels: 1 to 64 channels, each once.
  ///   - cursor: As the last answer gave it; or `now`, or `earliest`.
  ///   - timeout: How long the server may hold the request, at most 60 s; zero asks without waiting. The request is
  ///     given up 5 s after that.
  ///   - limit: Most messages in the answer, 1 to 1000.
  /// - Returns: What came. A page without messages or gaps says that nothing came in time.
  public func poll(
    _ channels: [String], cursor: String = WireCursor.now, timeout: Duration = .seconds(30), limit: Int? = nil
  ) async throws(HoldfastClientError) -> MessagePage {
    let query = [
      (WireParameter.cursor, cursor), (WireParameter.timeout, timeout.wireSeconds),
      (WireParameter.limit, limit.map(String.init)),
    ]
    let url = core.address.url(WirePath.poll, ServerAddress.list(channels), query: query)
    return try await core.exchange.answer(to: WireRequest(url: url), deadline: timeout + Self.pollGrace)
      .read(MessagePage.init(json:))
  }

  /// A poll whose outcome can be carried from one task to another.
  func page(
    _ channels: [String], cursor: String, timeout: Duration, limit: Int?
  ) async -> Result<MessagePage, HoldfastClientError> {
    do {
      return .success(try await poll(channels, cursor: cursor, timeout: timeout, limit: limit))
    } catch {
      return .failure(error)
    }
  }

  /// Reads what a channel retains, without waiting.
  ///
  /// - Parameters:
  ///   - channel: The channel's name.
  ///   - after: The cursor after which to begin; `nil` begins with the oldest message.
  ///   - limit: Most messages in the answer, 1 to 1000; 100 unless given.
  public func history(
    of channel: String, after: String? = nil, limit: Int? = nil
  ) async throws(HoldfastClientError) -> MessagePage {
    let query = [(WireParameter.after, after), (WireParameter.limit, limit.map(String.init))]
    let url = core.address.url(WirePath.history, ServerAddress.encoded(channel), query: query)
    return try await core.exchange.answer(to: WireRequest(url: url), deadline: Self.readTimeout)
      .read(MessagePage.init(json:))
  }

  /// Lists the channels that have a log or a held poll, sorted by name.
  ///
  /// - Parameters:
  ///   - prefix: Only channels whose name begins so.
  ///   - after: Only channels after this name: the last one of the page before.
  ///   - limit: Most channels in the answer, 1 to 1000; 100 unless given.
  public func channels(
    prefix: String? = nil, after: String? = nil, limit: Int? = nil
  ) async throws(HoldfastClientError) -> ChannelPage {
    let query = [
      (WireParameter.prefix, prefix), (WireParameter.after, after), (WireParameter.limit, limit.map(String.init)),
    ]
    let url = core.address.url(WirePath.channels, query: query)
    return try await core.exchange.answer(to: WireRequest(url: url), deadline: Self.readTimeout)
      .read(ChannelPage.init(json:))
  }
}
