/**
 * Follows channels of a Holdfast server: every message, in order, once, until it is stopped.
 *
 *     const client = new LongPollingClient("news")
 *     client.on("message", (message) => console.log(message.data))
 *     client.start()
 *
 * It does not give up: lost connections, sleep, and servers that restart are waited out, and it goes on from the message
 * it saw last. Where messages are gone for good, a `gap` says so. PROTOCOL.md, 'Clients', has all the rules.
 */
export class LongPollingClient {
    /**
     * @param {string | string[]} channels one, or up to 64; `[]` for a client that only publishes
     * @param {Options} [options]
     * @param {object} [world] what stands in for the clock, the network and the page in tests
     */
    constructor(channels: string | string[], options?: Options | undefined, world?: object | undefined);
    /** `stopped`, `connecting`, `connected` or `waiting` for the next attempt. @returns {State} */
    get state(): State;
    /** The id of the last message that was handled, as the server wants it: where the client goes on. @returns {string} */
    get cursor(): string;
    /** Begins, or does nothing where it has begun. */
    start(): LongPollingClient;
    /** Ends the poll or the wait, or does nothing where it has ended. What was published goes on. */
    stop(): LongPollingClient;
    /**
     * Calls a listener with each event of a type, in order. The next message waits for a listener that returns a promise.
     *
     * @template {keyof ClientEvents} Type
     * @param {Type} type
     * @param {Listener<Type>} listener
     */
    on<Type extends keyof ClientEvents>(type: Type, listener: Listener<Type>): LongPollingClient;
    /**
     * Like `on`, for the next event only.
     *
     * @template {keyof ClientEvents} Type
     * @param {Type} type
     * @param {Listener<Type>} listener
     */
    once<Type_1 extends keyof ClientEvents>(type: Type_1, listener: Listener<Type_1>): LongPollingClient;
    /**
     * @template {keyof ClientEvents} Type
     * @param {Type} type
     * @param {Listener<Type>} listener
     */
    off<Type_2 extends keyof ClientEvents>(type: Type_2, listener: Listener<Type_2>): LongPollingClient;
    /**
     * As `EventTarget` has it, `once` and `signal` among the options.
     *
     * @template {keyof ClientEvents} Type
     * @param {Type} type
     * @param {Listener<Type>} listener
     * @param {boolean | AddEventListenerOptions} [options]
     */
    addEventListener<Type_3 extends keyof ClientEvents>(type: Type_3, listener: Listener<Type_3>, options?: boolean | AddEventListenerOptions | undefined): void;
    /**
     * @template {keyof ClientEvents} Type
     * @param {Type} type
     * @param {Listener<Type>} listener
     */
    removeEventListener<Type_4 extends keyof ClientEvents>(type: Type_4, listener: Listener<Type_4>): void;
    /**
     * Publishes any value that has a form in JSON, after those of earlier calls. It is sent again until it is known to be
     * published, and published once.
     *
     * @param {string} channel
     * @param {unknown} data
     * @param {PublishOptions} [options]
     * @returns {Promise<Receipt>} rejected where the server refuses it, with the problem's `code`
     */
    publish(channel: string, data: unknown, options?: PublishOptions | undefined): Promise<Receipt>;
    /**
     * The messages as they come. Starts the client; a message counts as handled when the next is asked for. Leaving the loop
     * stops the client, `stop` ends the loop, and a refusal by the server is thrown. The message at which a loop was left
     * comes again when the client goes on.
     *
     * @returns {AsyncGenerator<Message, void, void>}
     */
    [Symbol.asyncIterator](): AsyncGenerator<Message, void, void>;
    #private;
}
export type Options = {
    /**
     * `http://host:port` or `https://host`; the one that this module came from
     */
    server?: string | undefined;
    /**
     * what the server was told as `--prefix`, `/api` if nothing
     */
    prefix?: string | undefined;
    /**
     * where to begin: `now`, `earliest`, or the id of a message; `now`
     */
    cursor?: string | undefined;
    /**
     * keeps the cursor, so that a reloaded page goes on where it was: `sessionStorage`,
     * `localStorage`, a `Map`, or anything else with `get` and `set`
     */
    store?: Store | undefined;
    /**
     * its name there, unless the server and the channels are name enough
     */
    storeKey?: string | undefined;
    /**
     * one connection for all tabs that follow the same channels; a string sets groups of
     * them apart, such as those of different users
     */
    shared?: string | boolean | undefined;
    /**
     * sent as `Authorization: Bearer`
     */
    token?: Token | undefined;
    /**
     * sent as `X-Client-ID`: whose held polls are counted together; random
     */
    clientId?: string | undefined;
    /**
     * milliseconds that the server may hold a poll; 30,000
     */
    pollTimeout?: number | undefined;
    /**
     * most messages in one answer
     */
    limit?: number | undefined;
    /**
     * milliseconds: at most so long is the first wait after a failure; 1,000
     */
    retryDelayMin?: number | undefined;
    /**
     * milliseconds that no wait is longer than; 30,000
     */
    retryDelayMax?: number | undefined;
    /**
     * attempts after a failure before the client stops; unlimited
     */
    maxRetries?: number | undefined;
    /**
     * messages that may wait to be published; 1,000
     */
    publishQueueMax?: number | undefined;
    /**
     * used instead of the global one
     */
    fetch?: typeof fetch | undefined;
};
/**
 * A token, or a function that gives one. It is asked for a fresh one, with `true`, when the server refuses the last.
 */
export type Token = string | ((refresh: boolean) => string | Promise<string>);
export type Store = {
    getItem(key: string): any;
    setItem(key: string, value: string): any;
} | {
    get(key: string): any;
    set(key: string, value: string): any;
};
export type State = "stopped" | "connecting" | "connected" | "waiting";
export type Message = {
    id: string;
    channel: string;
    /**
     * Unix seconds
     */
    timestamp: number;
    data: any;
    /**
     * what `data` is encoded in, where it was published as neither JSON nor text
     */
    encoding?: "base64" | undefined;
    /**
     * what it was published as then
     */
    content_type?: string | undefined;
};
/**
 * Messages after the cursor can no longer be given. `missed` is their number, or `null` where nobody can tell.
 */
export type Gap = {
    channel: string;
    reason: "expired" | "reset";
    missed: number | null;
};
export type Receipt = {
    id: string;
    channel: string;
    timestamp: number;
    subscribers: number;
};
export type PublishOptions = {
    /**
     * makes the message unique beyond this call, for the ten minutes that a server remembers it
     */
    key?: string | undefined;
    /**
     * seconds after which the message expires
     */
    ttl?: number | undefined;
};
/**
 * `code` is the server's, such as `cursor_malformed`, or one of the client's own: `stopped`, `unreachable`, `timeout`,
 * `answer_invalid`, `token_failed`, `server_invalid`, `value_invalid`, `queue_full`, `fate_unknown`, or `http_502` where the
 * status is all there is.
 */
export type Reason = {
    code: string;
    /**
     * for a person
     */
    detail: string;
    /**
     * of the answer, if there was one
     */
    status?: number | undefined;
    /**
     * milliseconds that the server asked for
     */
    retryAfter?: number | undefined;
    /**
     * whether asking again cannot help
     */
    isRefusal?: boolean | undefined;
};
export type HoldfastError = Error & Reason;
export type ClientEvents = {
    message: Message & {
        type: "message";
    };
    /**
     * before the messages after it
     */
    gap: Gap & {
        type: "gap";
    };
    /**
     * there was a good answer
     */
    connected: {
        type: "connected";
    };
    /**
     * `retrying` tells
     * whether the client goes on by itself
     */
    disconnected: Reason & {
        type: "disconnected";
        retrying: boolean;
        error: HoldfastError;
    };
    /**
     *   something is wrong that the client lives with
     */
    error: {
        type: "error";
        code: "handler_failed" | "store_failed" | "answers_empty";
        detail: string;
        error?: unknown;
    };
    /**
     * `reason`
     * when it is waiting or stopped; `delay`, in milliseconds, when it is waiting and polls by itself
     */
    state: {
        type: "state";
        state: State;
        previous: State;
        delay?: number;
        reason?: HoldfastError;
    };
};
export type Listener<Type extends keyof ClientEvents> = (event: ClientEvents[Type]) => unknown;
