// swift-format-ignore-file
// Made by scripts/generate-pages; a test checks that it is current.

enum PageTexts {
  /// clients/javascript/src, as one module.
  static let module = ##"""
var z=(s,t)=>{let e=s.split(".");return t.map((r,o)=>e[o]??s)},F=s=>s.split(".").includes("now");var G={};function se(s,t,e,r){let o={cursor:e,async move(n){n!=o.cursor&&await r(o.cursor=n)},async deliver({gap:n=[],messages:i,cursor:c},a){let d=n.length+i.length;for(let l of n)if(await s.emit("gap",l),--d&&a.aborted)return;let w=z(c,t),m=z(o.cursor,t).map((l,u)=>i.some(({channel:y})=>y==t[u])?l:w[u]);for(let l of i)if((await s.emit("message",l)).includes(G)||(m[t.indexOf(l.channel)]=l.id,await o.move(m.join(".")),--d&&a.aborted))return;await o.move(c)}};return o}var T=(s,t,e)=>Object.assign(new Error(`${s}: ${t}`),{code:s,detail:t},e),Q=()=>T("answer_invalid","no answer of Holdfast");function oe({status:s,headers:t},e){return T(`${e?.status==s&&e.code||`http_${s}`}`,e?.detail||`status ${s}`,{status:s,retryAfter:Math.min(t.get("Retry-After")*1e3||0,3e5),isRefusal:/^4(?!08|29)/.test(`${s}`)})}var de=["message","gap","connected","disconnected","error","state"];function ne(){let s=new Map(de.map(e=>[e,new Map])),t={of(e){let r=s.get(e);if(r)return r;throw T("value_invalid",`no event ${e}`)},add(e,r,o){let{once:n=!1,signal:i}=Object(o),c=t.of(e);i?.aborted||(c.set(r,n&&c.get(r)!==!1),i?.addEventListener("abort",()=>c.delete(r)))},emit(e,r){let o=t.of(e),n={...r,type:e};return Promise.all([...o].map(async([i,c])=>{if(o.has(i)){c&&o.delete(i);try{return await i(n)}catch(a){e=="error"?console.error(a):t.report("handler_failed",a)}}}))},report(e,r){t.of("error").size?t.emit("error",{code:e,detail:`${r?.message??r}`,error:r}):console.error("holdfast:",e,r)}};return t}function W({world:s,options:t},e,r=0){let{retryDelayMin:o,retryDelayMax:n}=t,i=Math.max(r,Math.min(n,o*2**(e-1))*s.random()),c=s.now(),a,d=new Promise(l=>a=l),w=s.setTimeout(a,i);return{delay:i,over:d,cut:(l=r)=>{let u=Math.min(l,c+l-s.now());s.clearTimeout(w),u>0?w=s.setTimeout(a,u):a()}}}var Y=1e3,Z=5e3;function H(s){let{world:t,options:e,ask:r,channels:o,delivery:n,events:i,status:c}=s,{pollTimeout:a,limit:d,maxRetries:w}=e,m,l=0,u,y,$=()=>{};return{sleep(){y??=new Promise(b=>$=b),m?.abort()},wake(){y=$(),u?.cut(),t.now()-l>=Y&&m?.abort()},async run(b,x={}){let{isCatchUp:C,cursor:p=()=>n.cursor,take:h=M=>n.deliver(M,b)}=x,g=()=>{m?.abort(),u?.cut(0),y=$()},E=async(M,k)=>{u=W(s,M,k?.retryAfter),k&&c.set("waiting",k,u.delay),await u.over,k&&!b.aborted&&c.set("connecting")};b.addEventListener("abort",g);try{for(let M=0,k=0;;){if(await y,b.aborted)return;let q=p(),S=c.state!="connected",j=S||C||F(q)?0:a,J={cursor:q,timeout:j/1e3,...d!=null&&{limit:d}};l=t.now(),m=new AbortController;let R;try{R=await r("poll",o,J,{},j+Z,m);let{cursor:L,gap:f=[],messages:_}=R??{},v=A=>A?.every?.(O=>O?.channel);if(!L?.split||![f,_].every(v))throw Q()}catch(L){if(b.aborted)return;if(m.signal.reason?.name=="AbortError")continue;if(L.isRefusal||M>=w)return L;M+=1,await E(M,L);continue}if(k=(!R.messages.length||R.gap?.some(({reason:L})=>L=="reset"))&&!S&&t.now()-l<Math.min(Y,j||Y)?k+1:0,M=0,b.aborted||c.set("connected"),b.aborted||(await h(R,q),C&&!R.more))return;k==5&&i.report("answers_empty","no answer waits"),k>1&&!b.aborted&&await E(k-1)}}finally{b.removeEventListener("abort",g)}}}}var ee=3e4;function ie(s,t,{token:e,clientId:r=s.uuid()}){let o=e,n=!1;async function i(c,a,d,w,m,l=new AbortController){let u,y,$="token_failed",b=p=>{s.clearTimeout(u),u=s.setTimeout(()=>l.abort(T($,`no answer within ${p/1e3} s`)),p)},x=new Promise((p,h)=>{l.signal.addEventListener("abort",()=>h(l.signal.reason))}),C=async()=>{try{o?.call&&(o=o(n)),y=o;let p=y&&{Authorization:`Bearer ${await y}`},h={...w.headers,...p,"X-Client-ID":r};$="value_invalid",new Headers(h);let g=`${t}/${c}/${a.map(encodeURIComponent)}?${new URLSearchParams(d)}`;$="timeout";let E=await s.fetch(g,{...w,headers:h,cache:"no-store",signal:l.signal});return b(ee),{response:E,text:await E.text()}}catch(p){let h=$=="value_invalid";throw T($=="timeout"?"unreachable":$,p?.message??p,{isRefusal:h})}};b(m);try{let{response:p,text:h}=await Promise.race([x,C()]),g=me(h);if(p.status!=200)throw oe(p,g);return n=!1,g}catch(p){let h=e?.call&&p.status==401,g=y==o;if(g&&(h||p.code=="token_failed")&&(o=e),!h||g&&n)throw p;g&&(n=!0)}finally{s.clearTimeout(u)}return i(c,a,d,w,m,l)}return i}function me(s){try{return JSON.parse(s)}catch{}}var pe=54e4;function ae(s){let{options:t,ask:e,world:r}=s,o=[],n;async function i(){let a=r.listen(()=>n?.cut());for(;o.length;o.shift())await c(o[0]).then(o[0].resolve,o[0].reject);a()}async function c({channel:a,body:d,key:w,ttl:m}){let l={"Content-Type":"application/json","Idempotency-Key":w},u;for(let y=1;;y++){let $=r.isOffline(),b=r.now();try{let x=m==null?{}:{ttl:m},C=await e("publish",[a],x,{method:"POST",body:d,headers:l},ee),{message_id:p,timestamp:h,subscribers:g}=C??{};if(!p)throw Q();return{id:p,channel:a,timestamp:h,subscribers:g}}catch(x){if(x.isRefusal||y>t.maxRetries)throw x;if(!(x.code=="token_failed"||x.status&&!x.code.startsWith("http_"))&&!$&&(u??=b),n=W(s,y,x.retryAfter),await n.over,u!==void 0&&r.now()-u>=pe)throw T("fate_unknown",`perhaps published: ${x.detail}`)}}}return(a,d,{key:w=r.uuid(),ttl:m}={})=>new Promise((l,u)=>{let y=JSON.stringify(d);if(y===void 0)throw T("value_invalid","no JSON");if(o.length>=t.publishQueueMax)throw T("queue_full",`${o.length} messages wait`);o.push({channel:a,body:y,key:w,ttl:m,resolve:l,reject:u})==1&&i()})}function ce(s){let t={state:"stopped",reason:void 0,relay(){},set(e,r,o){let n=t.state;if(e==n)return;t.state=e,t.reason=r;let i=(c,a)=>{t.state==e&&s.emit(c,a)};i("state",{state:e,previous:n,delay:o,reason:r}),e=="connected"&&i(e),r&&(n=="connected"||e=="stopped")&&i("disconnected",{...r,retrying:e!="stopped",error:r}),t.relay()}};return t}var he=2e3,we=100;function le(s){let{channels:t,delivery:e,options:r,status:o,world:n}=s,{locks:i,BroadcastChannel:c}=n,a=`${s.name}:${r.shared}`,d=H(s),w=H(s),m=[],l=()=>{},u=new AbortController,y,$,b,x=!1,C,p=!1,h,g,E,M=()=>$==u&&!u.signal.aborted;function k(f){u.abort();let _=u=new AbortController,{signal:v}=_,A=()=>(y=_,l(),new Promise(N=>v.addEventListener("abort",N))),O=()=>{_.abort(),l()};i.request(a,f?{steal:f}:{signal:v},()=>v.aborted||A()).then(O,({name:N})=>(N=="AbortError"?O:A)())}async function q(){$=u,n.clearTimeout(E);let{cursor:f}=e;b=x?f:void 0,S();let _=(v,A)=>{f=v.cursor,b=v.more?void 0:f;let O={answer:v,from:A,head:b};g?.postMessage(O),V(O)};h=await d.run(u.signal,{cursor:()=>f,take:_})??h,l()}function S(){let{state:f,reason:_}=o;g?.postMessage({head:b,state:f,reason:_&&{..._}})}function j(){g?.postMessage("hello"),J(he,()=>k(!0))}function J(f,_){n.clearTimeout(E),E=n.setTimeout(()=>M()||p||_(),f)}function R(f){f!="hello"?(J(r.pollTimeout+2*Z,j),f.state&&(C=f),V(f)):M()&&S()}function V(f){m.push(f)>we&&m.shift(),l()}async function L({answer:f,from:_,head:v},A){let O=I=>z(I,t);if(!f||_!=e.cursor&&F(e.cursor)){f=v&&{messages:[],cursor:v},_="";let I=(D,B)=>D=="now"?O(v)[B]:D;v&&await e.move(O(e.cursor).map(I).join("."))}if(f){let[I,D,B]=[e.cursor,_,f.cursor].map(O),X=P=>I[P]==D[P],te=({channel:P})=>X(t.indexOf(P));if(x=!0,I.every((P,U)=>X(U)||P==B[U]||D[U]==B[U])){let P=I.map((U,re)=>X(re)?B[re]:U).join(".");await e.deliver({gap:f.gap?.filter(te),messages:f.messages.filter(te),cursor:P},A)}else m=[],h=await w.run(A,{isCatchUp:!0})??h}if(!C||!x||M()||h||A.aborted)return;let{state:N,reason:K}=C;N=="connecting"&&o.state!="waiting"||o.set(N,K&&T(K.code,K.detail,K))}return{sleep(){p=!0,w.sleep(),u.abort()},wake(){p=!1,d.wake(),w.wake(),!M()&&!u.signal.aborted&&j(),l()},async run(f){g=new c(a),g.onmessage=({data:v})=>R(v),o.relay=()=>M()&&S(),u.abort(),m=[],p=x=!1,h=C=void 0;let _=()=>{u.abort(),l()};for(f.addEventListener("abort",_);!f.aborted&&!h;){u.signal.aborted&&!p&&(k(),j());let v=m.shift();v?await L(v,f):y==u&&$!=u&&!u.signal.aborted?q():await new Promise(A=>l=A)}return n.clearTimeout(E),g.close(),h}}}var ue={fetch:(s,t)=>fetch(s,t),now:()=>Date.now(),random:()=>Math.random(),setTimeout:(s,t)=>setTimeout(s,t),clearTimeout:s=>clearTimeout(s),uuid:()=>crypto.getRandomValues(new Uint32Array(4)).join("-"),isOffline:()=>globalThis.navigator?.onLine==!1,locks:globalThis.navigator?.locks,BroadcastChannel:globalThis.BroadcastChannel,listen(s,t){let e={online:s,pagehide:t,pageshow:n=>n.persisted&&s(),freeze:t,resume:s,visibilitychange:()=>document.hidden||s()},r=new AbortController,{signal:o}=r;for(let[n,i]of Object.entries(e))globalThis.addEventListener?.(n,i,{capture:!0,signal:o});return()=>r.abort()}};var ye={cursor:"now",pollTimeout:3e4,retryDelayMin:1e3,retryDelayMax:3e4,maxRetries:1/0,publishQueueMax:1e3},fe=class{#e;#r;#s;#t;#o=Promise.resolve();#n=()=>{};constructor(t,e={},r={}){let o=[t].flat(),n=be(e),i=`holdfast:${n}:${o}`,c={...e};for(let[m,l]of Object.entries({...ye,storeKey:i}))c[m]??=l;let a=ne(),d={...ue,...e.fetch&&{fetch:e.fetch},...r},w=this.#e={world:d,options:c,channels:o,name:i,events:a,status:ce(a),delivery:se(a,o,c.cursor,m=>this.#a("set",m)),ask:ie(d,n,e)};this.#r=ae(w),this.#s=(e.shared&&d.locks&&d.BroadcastChannel?le:H)(w)}get state(){return this.#e.status.state}get cursor(){return this.#e.delivery.cursor}start(){if(this.#t)return this;let t=this.#t=new AbortController,{delivery:e,options:r,status:o,world:n}=this.#e,i=this.#s;return this.#n=n.listen(()=>i.wake(),()=>i.sleep()),o.set("connecting"),this.#o=this.#o.then(async()=>{let c=this.cursor==r.cursor&&await this.#a("get");c&&(e.cursor=`${c}`);let a=()=>i.run(t.signal).catch(w=>T("answer_invalid",w.message)),d=await a();d?.code=="cursor_malformed"&&this.cursor==c&&(this.#e.events.report("store_failed",d),e.cursor=r.cursor,d=await a()),d&&this.#t==t&&this.#i(d)}),this}stop(){return this.#i(T("stopped","by stop()")),this}#i(t){this.#t?.abort(),this.#t=void 0,this.#n(),this.#e.status.set("stopped",t)}on(t,e){return this.#e.events.add(t,e),this}once(t,e){return this.#e.events.add(t,e,{once:!0}),this}off(t,e){return this.#e.events.of(t).delete(e),this}addEventListener(t,e,r){this.#e.events.add(t,e,r)}removeEventListener(t,e){this.#e.events.of(t).delete(e)}async*[Symbol.asyncIterator](){let t,e,r,o=i=>new Promise(c=>{t={message:i,done:c},r?.()}),n=i=>{i.retrying||(e=i,r?.())};this.on("message",o).on("disconnected",n).start();try{for(;!t&&!e&&await new Promise(d=>r=d),!!t;){let{message:i,done:c}=t;t=void 0;let a=!1;try{yield i,a=!0}finally{a||this.stop(),c(a||G)}}if(e?.code!="stopped")throw e?.error}finally{this.off("message",o).off("disconnected",n)}}publish(t,e,r){return this.#r(t,e,r)}async#a(t,...e){let{store:r,storeKey:o}=this.#e.options;if(r)try{return await r[r.getItem?`${t}Item`:t](o,...e)}catch(n){this.#e.events.report("store_failed",n)}}};function be({server:s,prefix:t="/api"}){let e=/^http/.test(import.meta.url)?import.meta.url:globalThis.location?.href,{href:r}=new URL((s??"/").replace(/\/?$/,`${t}/`),e);if(!/^http/.test(r))throw T("server_invalid",r);return r.slice(0,-1)}export{fe as LongPollingClient};
"""##

  /// clients/javascript/client.d.ts
  static let types = ##"""
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
"""##

  /// Examples/ticker/index.html
  static let example = ##"""
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Live ticker · Holdfast</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><circle cx='16' cy='16' r='7' fill='%230d9488'/><circle cx='16' cy='16' r='13' fill='none' stroke='%230d9488' stroke-width='3' opacity='.4'/></svg>">
<style>
  :root {
    --paper: #f6f7f6; --card: #fff; --ink: #16211f; --soft: #5a6965; --line: #dfe5e2;
    --accent: #0b7a70; --accent-ink: #fff; --glow: #0d948822; --warn: #9a5b00; --warn-paper: #fdf3e1; --bad: #b3261e;
    --shadow: 0 1px 2px #10201c0d, 0 8px 24px #10201c0f;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --paper: #0e1413; --card: #161e1c; --ink: #e8efec; --soft: #94a59f; --line: #26312e;
      --accent: #4fd1bf; --accent-ink: #06211d; --glow: #4fd1bf26; --warn: #f2bd6b; --warn-paper: #2b2213; --bad: #ff8a80;
      --shadow: none;
    }
  }
  * { box-sizing: border-box; }
  html { background: var(--paper); color: var(--ink); }
  body {
    margin: 0 auto; padding: clamp(1.25rem, 4vw, 3.5rem) clamp(1rem, 4vw, 2.5rem) 3rem; max-width: 72rem;
    font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  }
  header { display: flex; align-items: center; justify-content: space-between; gap: 1rem; margin-bottom: 1.5rem; }
  h1 { margin: 0; font-size: clamp(1.5rem, 1.1rem + 2vw, 2.25rem); line-height: 1.15; letter-spacing: -.025em; }
  h2 { margin: 0 0 .5rem; font-size: .8125rem; font-weight: 600; color: var(--soft); }
  main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem; }
  .card { background: var(--card); border: 1px solid var(--line); border-radius: .875rem; box-shadow: var(--shadow); padding: 1.125rem; }

  #state { display: inline-flex; align-items: center; gap: .5rem; flex: none; padding: .3rem .75rem; border: 1px solid var(--line);
    border-radius: 99rem; background: var(--card); color: var(--soft); font-size: .875rem; font-variant-numeric: tabular-nums; }
  #state::before { content: ""; width: .5rem; height: .5rem; border-radius: 50%; background: var(--warn); }
  #state[data-state="connected"] { color: var(--ink); }
  #state[data-state="connected"]::before { background: var(--accent); box-shadow: 0 0 0 .25rem var(--glow); }
  #state[data-state="stopped"]::before { background: var(--bad); }

  form { display: flex; gap: .625rem; }
  input, button { font: inherit; border-radius: .625rem; min-height: 2.75rem; }
  input { flex: 1; min-width: 0; padding: .5rem .875rem; color: inherit; background: var(--paper); border: 1px solid var(--line); }
  input::placeholder { color: var(--soft); opacity: 1; }
  button { padding: .5rem 1.25rem; border: 0; background: var(--accent); color: var(--accent-ink); font-weight: 600; cursor: pointer; }
  button:hover { filter: brightness(1.08); }
  button.quiet { min-height: 0; padding: .25rem .625rem; font-size: .8125rem; background: transparent; color: var(--accent);
    border: 1px solid var(--line); border-radius: .5rem; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  #note { margin: .625rem 0 0; font-size: .875rem; color: var(--soft); min-height: 1.3125rem; }
  #note.bad { color: var(--bad); }

  pre { margin: 0 0 1.125rem; padding: .75rem .875rem; background: var(--paper); border: 1px solid var(--line); border-radius: .625rem;
    font: .75rem/1.6 ui-monospace, "SF Mono", "Cascadia Code", "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
  aside p { margin: 0; color: var(--soft); font-size: .875rem; }
  .title { display: flex; justify-content: space-between; align-items: center; gap: 1rem; margin-bottom: .5rem; }
  .title h2 { margin: 0; }

  ol { list-style: none; margin: 0; padding: 0; }
  li { display: grid; grid-template-columns: 1fr auto; gap: .125rem 1rem; padding: .8125rem 0; border-top: 1px solid var(--line); }
  li:first-child { border-top: 0; padding-top: .25rem; }
  li:last-child { padding-bottom: 0; }
  li.new { animation: arrive 1.6s ease-out; }
  @keyframes arrive { from { background: var(--glow); box-shadow: 0 0 0 .5rem var(--glow); border-radius: .25rem; } }
  @media (prefers-reduced-motion: reduce) { li.new { animation: none; } }
  li p { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
  li code { font: .875rem/1.5 ui-monospace, "SF Mono", "Cascadia Code", "DejaVu Sans Mono", monospace; }
  time { color: var(--soft); font-size: .8125rem; line-height: 1.5rem; font-variant-numeric: tabular-nums; }
  li.gap { display: block; margin: .375rem 0; padding: .5rem .75rem; border: 0; border-radius: .5rem; background: var(--warn-paper); color: var(--warn); font-size: .875rem; }
  li.gap + li { border-top: 0; }
  #empty { margin: 0; padding: 1.5rem 0; text-align: center; color: var(--soft); }
  ol:not(:empty) + #empty { display: none; }

  @media (max-width: 30rem) { li { grid-template-columns: 1fr; } }
  @media (min-width: 60rem) {
    main { grid-template-columns: minmax(0, 1fr) 25.5rem; align-items: start; grid-template-rows: auto 1fr; }
    aside { grid-column: 2; grid-row: 1 / span 2; position: sticky; top: 1.5rem; }
  }
</style>

<header>
  <h1>Live ticker</h1>
  <span id="state" role="status">connecting</span>
</header>

<main>
  <section class="card">
    <form id="form">
      <input id="text" aria-label="Message" placeholder="Say something" autocomplete="off" maxlength="2000" required>
      <button>Publish</button>
    </form>
    <p id="note">It appears below, and in every open window.</p>
  </section>

  <section class="card" id="stream">
    <div class="title"><h2>On the channel <span id="channel"></span></h2> <h2 id="count"></h2></div>
    <ol id="messages" aria-live="polite"></ol>
    <p id="empty">Nothing yet. Publish the first one.</p>
  </section>

  <aside class="card">
    <div class="title"><h2>From a terminal</h2> <button class="quiet" id="copy">Copy</button></div>
    <pre id="curl"></pre>
    <h2>In a page of your own</h2>
    <pre id="code"></pre>
    <p>Reload this page, open it ten times, let the computer sleep, restart the server: you see every message, or are told that some are
      gone, and all windows together hold one connection.</p>
  </aside>
</main>

<script type="module">
  import { LongPollingClient } from "/client.js"

  const channel = new URLSearchParams(location.search).get("channel") ?? "ticker"
  const shownMax = 200
  const $ = (id) => document.getElementById(id)
  const client = new LongPollingClient(channel, { cursor: "earliest", shared: true })
  let count = 0
  const opened = Date.now()

  // What comes from others is only ever put into the page as text.
  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties)
    made.append(...children)
    return made
  }

  const show = (item) => {
    $("messages").prepend(item)
    while ($("messages").children.length > shownMax) $("messages").lastChild.remove()
  }

  const content = (data) => {
    const text = typeof data == "string" ? data : data?.text
    return typeof text == "string" ? element("p", {}, text) : element("p", {}, element("code", {}, JSON.stringify(data)))
  }

  client.on("message", ({ data, timestamp }) => {
    const when = new Date(timestamp * 1000)
    const time = element("time", { dateTime: when.toISOString(), title: when.toLocaleString() }, when.toLocaleTimeString([], { timeStyle: "short" }))
    show(element("li", { className: when > opened ? "new" : "" }, content(data), time))
    $("count").textContent = ++count
  })

  client.on("gap", ({ reason, missed }) => {
    const what = missed === null ? "Some messages" : missed == 1 ? "1 message" : `${missed} messages`
    const why = reason == "expired" ? "expired before this page could read them" : "are gone: the log began anew"
    show(element("li", { className: "gap" }, `${what} ${why}.`))
  })

  client.on("state", ({ state }) => {
    $("state").dataset.state = state
    $("state").textContent = state == "waiting" ? "reconnecting" : state
  })

  client.on("disconnected", ({ retrying, detail }) => {
    if (!retrying) note(detail, true)
  })

  function note(text, isBad = false) {
    $("note").textContent = text
    $("note").className = isBad ? "bad" : ""
  }

  $("form").addEventListener("submit", async (event) => {
    event.preventDefault()
    const text = $("text").value
    $("text").value = ""
    if (client.state != "connected") note("It is sent as soon as the server is back.")
    try {
      await client.publish(channel, { text })
      note("Published.")
    } catch (error) {
      note(`Not published: ${error.detail ?? error.message}`, true)
    }
  })

  // Only secure contexts have a clipboard.
  $("copy").hidden = !navigator.clipboard
  $("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText($("curl").textContent)
    $("copy").textContent = "Copied"
    setTimeout(() => ($("copy").textContent = "Copy"), 1500)
  })

  $("channel").textContent = channel
  $("curl").textContent = `curl -d '{"text":"hello"}' \\
${location.origin}/api/publish/${encodeURIComponent(channel)}`
  $("code").textContent = `import { LongPollingClient } from "/client.js"

new LongPollingClient(${JSON.stringify(channel)})
  .on("message", console.log)
  .start()`
  client.start()
</script>
</html>
"""##
}
