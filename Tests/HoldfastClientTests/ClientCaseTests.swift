import Testing

/// The client as cases, `conformance/client`: all but the network itself, in virtual time.
struct ClientCaseTests {
  @Test(arguments: ClientCase.all.filter { !$0.needsHandlers })
  func `The client does what the case says`(_ scripted: ClientCase) throws {
    try CaseRun(scripted.script).run(scripted.steps)
  }

  @Test func `The cases that need handlers are those in which one throws, and all others are run`() {
    let throwing = ClientCase.all.filter { scripted in
      (scripted.script["handlers"]?.object ?? [:]).values.contains { $0["throws"] != nil }
    }
    #expect(ClientCase.all.filter(\.needsHandlers).map(\.name) == throwing.map(\.name))
    #expect(Set(ClientCase.all.map(\.name)).count == ClientCase.all.count)
    #expect(Set(ClientCase.all.map(\.subject)).count == 9)
  }

  @Test func `A case with a member that nobody knows is refused`() throws {
    #expect(throws: ClientCase.Refused.self) { try CaseRun(Value(parsing: #"{"client": {"limt": 1}}"#.utf8)) }
    #expect(throws: ClientCase.Refused.self) {
      try CaseRun(Value(parsing: #"{"handlers": {"news:1": {"thorws": true}}}"#.utf8))
    }
  }
}
