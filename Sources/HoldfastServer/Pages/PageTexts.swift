// swift-format-ignore-file
// Made by scripts/generate-pages; a test checks that it is current.

enum PageTexts {
  /// clients/javascript/src, as one module.
  static let module = ##"""
var D=(o,t)=>{let e=o.split(".");return t.map((r,n)=>e[n]??o)},Q=o=>o.split(".").includes("now");function te(o,t,e,r){let n={cursor:e,async move(s){s!=n.cursor&&await r(n.cursor=s)},async deliver({gap:s=[],messages:i,cursor:a},l){let p=s.length+i.length;for(let u of s)if(await o.emit("gap",{...u,type:"gap"}),--p&&l.aborted)return;let y=D(a,t),d=D(n.cursor,t).map((u,f)=>i.some(({channel:h})=>h==t[f])?u:y[f]);for(let u of i)if(await o.emit("message",{...u,type:"message"}),d[t.indexOf(u.channel)]=u.id,await n.move(d.join(".")),--p&&l.aborted)return;await n.move(a)}};return n}var ue=["message","gap","connected","disconnected","error","state"];function oe(){let o=new Map(ue.map(e=>[e,new Map])),t={of(e){let r=o.get(e);if(r)return r;throw new TypeError(`no event '${e}'`)},add(e,r,n){let{once:s,signal:i}=Object(n),a=t.of(e);i?.aborted||(a.set(r,s),i?.addEventListener("abort",()=>a.delete(r)))},emit(e,r){let n=t.of(e);return Promise.all([...n].map(async([s,i])=>{if(n.has(s)){i&&n.delete(s);try{await(s.handleEvent??s).call(s,r)}catch(a){e=="error"?console.error(a):t.report("handler_failed",a)}}}))},report(e,r){let n={type:"error",code:e,detail:`${r?.message??r}`,error:r};t.of("error").size?t.emit("error",n):console.error("holdfast:",e,r)}};return t}var E=(o,t,e)=>Object.assign(new Error(`${o}: ${t}`),{code:o,detail:t},e),W=()=>E("answer_invalid","not an answer of Holdfast");function re({status:o,headers:t},e){let r=typeof e?.code=="string";return E(r?e.code:`http_${o}`,r&&e.detail||e?.error||`status ${o}`,{status:o,retryAfter:Math.min(Number(/^\d+$/.exec(t.get("Retry-After")??""))*1e3,3e5),isRefusal:o>=400&&o<500&&o!=408&&o!=429})}function H({world:o,options:t},e,r=0){let{retryDelayMin:n,retryDelayMax:s}=t,i=Math.max(r,Math.min(s,n*2**(e-1))*o.random()),a=o.now(),l,p=new Promise(u=>l=u),y=o.setTimeout(l,i),d=u=>{let f=a+u-o.now();o.clearTimeout(y),f>0?y=o.setTimeout(l,f):l()};return{delay:i,over:p,cut:()=>d(r),end:()=>d(0)}}var G=1e3,Y=5e3;function B(o){let{world:t,options:e,ask:r,channels:n,delivery:s,events:i,status:a}=o,{pollTimeout:l,limit:p,maxRetries:y}=e,d="poll/"+n.map(encodeURIComponent),u,f=0,h,x,_=()=>{};return{sleep(){x??=new Promise(v=>_=v),u?.abort()},wake(){x=_(),h?.cut(),t.now()-f>=G&&u?.abort()},async run(v,b={}){let{isCatchUp:m,cursor:w=()=>s.cursor,take:T=C=>s.deliver(C,v)}=b,O=()=>{u?.abort(),h?.end(),x=_()},$=async(C,k)=>{h=H(o,C,k?.retryAfter),k&&a.set("waiting",k,h.delay),await h.over,h=void 0,k&&!v.aborted&&a.set("connecting")};v.addEventListener("abort",O);try{for(let C=0,k=0;;){if(await x,v.aborted)return;let R=w(),S=a.state!="connected",N=S||m||Q(R)?0:l,V={cursor:R,timeout:N/1e3,...p&&{limit:p}},z=f=t.now(),J=u=new AbortController,c;try{if(c=await r(d,V,{},N+Y,J.signal),!c?.cursor||!Array.isArray(c.messages))throw W()}catch(g){if(v.aborted)return;if(J.signal.aborted)continue;if(g.isRefusal||C>=y)return g;C+=1,await $(C,g);continue}finally{u=void 0}if(k=!c.messages.length&&!c.gap&&!S&&t.now()-z<Math.min(G,N||G)?k+1:0,C=0,v.aborted||a.set("connected"),v.aborted||(await T(c,R),m&&!c.more))return;k==5&&i.report("answers_empty","polls are answered at once, with nothing"),k>1&&!v.aborted&&await $(k-1)}}finally{v.removeEventListener("abort",O)}}}}var fe=3e4,de=54e4;function ne(o){let{options:t,ask:e,world:r}=o,n=[],s;async function i(){let l=r.listen(()=>s?.cut());for(;n.length;n.shift())await a(n[0]).then(n[0].resolve,n[0].reject);l()}async function a({channel:l,body:p,key:y,ttl:d}){let u={"Content-Type":"application/json","Idempotency-Key":y},f="publish/"+encodeURIComponent(l),h;for(let x=1;;x++){let _=r.isOffline(),v=r.now();try{let b=await e(f,d?{ttl:d}:{},{method:"POST",body:p,headers:u},fe);if(!b?.message_id)throw W();return{id:b.message_id,channel:l,timestamp:b.timestamp,subscribers:b.subscribers}}catch(b){if(b.isRefusal||x>t.maxRetries)throw b;if(!(b.code=="token_failed"||b.status&&!b.code.startsWith("http_"))&&!_&&(h??=v),s=H(o,x,b.retryAfter),await s.over,s=void 0,h!==void 0&&r.now()-h>=de)throw E("fate_unknown",`it may have been published: ${b.detail}`)}}}return(l,p,{key:y=r.uuid(),ttl:d}={})=>new Promise((u,f)=>{let h=JSON.stringify(p);if(h===void 0)throw new TypeError("no form in JSON");if(n.length>=t.publishQueueMax)throw E("queue_full",`${n.length} messages wait`);n.push({channel:l,body:h,key:y,ttl:d,resolve:u,reject:f})==1&&i()})}var me=3e4;function se(o,t,{token:e,clientId:r=o.uuid()}){let n=typeof e=="function"&&e,s=n?void 0:e,i=!1;async function a(l,p,y,d,u){let f=new AbortController,h,x,_=m=>{o.clearTimeout(h),h=o.setTimeout(()=>f.abort(E("timeout",`no answer within ${m/1e3} s`)),m)},v=new Promise((m,w)=>{f.signal.addEventListener("abort",()=>w(f.signal.reason))}),b=async()=>{let m="token_failed";try{n&&(s??=n(i)),x=s;let w=x&&{Authorization:`Bearer ${await x}`};m="unreachable";let T={...y.headers,...w,"X-Client-ID":r},O=`${t}/${l}?${new URLSearchParams(p)}`,$=await o.fetch(O,{...y,headers:T,cache:"no-store",signal:f.signal});return _(me),{response:$,text:await $.text()}}catch(w){throw E(m,w?.message??w)}};u?.addEventListener("abort",()=>f.abort()),_(d);try{let{response:m,text:w}=await Promise.race([v,b()]),T=pe(w);if(m.status!=200)throw re(m,T);return i=!1,T}catch(m){let w=n&&m.status==401,T=x==s;if(T&&(w||m.code=="token_failed")&&(s=void 0),!w||T&&i)throw m;T&&(i=!0)}finally{o.clearTimeout(h)}return a(l,p,y,d,u)}return a}function pe(o){try{return JSON.parse(o)}catch{}}function ie(o){let t={state:"stopped",reason:void 0,relay(){},set(e,r,n){let s=t.state;if(e==s)return;Object.assign(t,{state:e,reason:r});let i=(a,l)=>{t.state==e&&o.emit(a,{...l,type:a})};i("state",{state:e,previous:s,delay:n}),e=="connected"&&i(e,{}),r&&(s=="connected"||e=="stopped")&&i("disconnected",{...r,retrying:e!="stopped",error:r}),t.relay()}};return t}var he=2e3,we=100;function ae(o){let{channels:t,delivery:e,options:r,status:n,world:s}=o,{locks:i,BroadcastChannel:a}=s,l=`${o.name}:${r.shared}`,p=B(o),y=B(o),d=[],u=()=>{},f=new AbortController,h,x,_,v=!1,b,m=!1,w,T,O,$=()=>x==f&&!f.signal.aborted;function C(c){f.abort();let M=f=new AbortController,{signal:g}=M,A=()=>(h=M,u(),new Promise(K=>g.addEventListener("abort",K))),L=()=>{M.abort(),u()};i.request(l,c?{steal:c}:{signal:g},()=>g.aborted||A()).then(L,L)}async function k(){x=f,s.clearTimeout(O);let{cursor:c}=e;_=v?c:void 0,R();let M=(g,A)=>{c=g.cursor,_=g.more?void 0:c;let L={answer:g,from:A,head:_};T?.postMessage(L),z(L)};w=await p.run(f.signal,{cursor:()=>c,take:M})??w,u()}function R(){let{state:c,reason:M}=n;T?.postMessage({head:_,state:c,reason:M&&{...M}})}function S(){T?.postMessage("hello"),N(he,()=>C(!0))}function N(c,M){s.clearTimeout(O),O=s.setTimeout(()=>$()||m||M(),c)}function V(c){c!="hello"?(N(r.pollTimeout+2*Y,S),c.state&&(b=c),z(c)):$()&&R()}function z(c){d.push(c)>we&&d.shift(),u()}async function J({answer:c,from:M,head:g},A){let L=j=>D(j,t);if(!c||M!=e.cursor&&Q(e.cursor)){c=g&&{messages:[],cursor:g},M="";let j=(I,q)=>I=="now"?L(g)[q]:I;g&&await e.move(L(e.cursor).map(j).join("."))}if(c){let[j,I,q]=[e.cursor,M,c.cursor].map(L),X=P=>j[P]==I[P],Z=({channel:P})=>X(t.indexOf(P));if(v=!0,j.every((P,U)=>X(U)||P==q[U]||I[U]==q[U])){let P=j.map((U,ee)=>X(ee)?q[ee]:U).join(".");await e.deliver({gap:c.gap?.filter(Z),messages:c.messages.filter(Z),cursor:P},A)}else d=[],w=await y.run(A,{isCatchUp:!0})??w}if(!b||!v||$()||w||A.aborted)return;let{state:K,reason:F}=b;K=="connecting"&&n.state!="waiting"||n.set(K,F&&E(F.code,F.detail,F))}return{sleep(){m=!0,y.sleep(),f.abort()},wake(){m=!1,p.wake(),y.wake(),!$()&&!f.signal.aborted&&S(),u()},async run(c){T=new a(l),T.onmessage=({data:g})=>V(g),n.relay=()=>$()&&R(),f.abort(),d=[],m=v=!1,w=b=void 0;let M=()=>{f.abort(),u()};for(c.addEventListener("abort",M);!c.aborted&&!w;){f.signal.aborted&&!m&&(C(),S());let g=d.shift();g?await J(g,c):h==f&&x!=f&&!f.signal.aborted?k():await new Promise(A=>u=A)}return s.clearTimeout(O),T.close(),w}}}var ce={fetch:(o,t)=>fetch(o,t),now:()=>Date.now(),random:()=>Math.random(),setTimeout:(o,t)=>setTimeout(o,t),clearTimeout:o=>clearTimeout(o),uuid:()=>[...crypto.getRandomValues(new Uint8Array(16))].map(o=>(256+o).toString(16).slice(1)).join(""),isOffline:()=>globalThis.navigator?.onLine===!1,locks:globalThis.navigator?.locks,BroadcastChannel:globalThis.BroadcastChannel,listen(o,t){let{document:e}=globalThis,r=[[globalThis,"online",o],[globalThis,"pagehide",t],[globalThis,"pageshow",s=>s.persisted&&o()],[e,"freeze",t],[e,"resume",o],[e,"visibilitychange",()=>e.visibilityState=="visible"&&o()]],n=s=>r.forEach(([i,a,l])=>i?.[s]?.(a,l));return n("addEventListener"),()=>n("removeEventListener")}};var ye={cursor:"now",pollTimeout:3e4,retryDelayMin:1e3,retryDelayMax:3e4,maxRetries:1/0,publishQueueMax:1e3},le=class{#e;#o;#r;#t;#n=Promise.resolve();#s=()=>{};constructor(t,e={},r={}){let n=[t].flat(),s=be(e),i=`holdfast:${s}:${n}`,a={...e};for(let[d,u]of Object.entries({...ye,storeKey:i}))a[d]??=u;let l=oe(),p={...ce,...e.fetch&&{fetch:e.fetch},...r},y=this.#e={world:p,options:a,channels:n,name:i,events:l,status:ie(l),delivery:te(l,n,a.cursor,d=>this.#a("set",d)),ask:se(p,s,e)};this.#o=ne(y),this.#r=(e.shared&&p.locks&&p.BroadcastChannel?ae:B)(y)}get state(){return this.#e.status.state}get cursor(){return this.#e.delivery.cursor}start(){if(this.#t)return this;let t=this.#t=new AbortController,{delivery:e,options:r,status:n,world:s}=this.#e,i=this.#r;return this.#s=s.listen(()=>i.wake(),()=>i.sleep()),n.set("connecting"),this.#n=this.#n.then(async()=>{this.cursor==r.cursor&&(e.cursor=await this.#a("get")||this.cursor);let a=await i.run(t.signal).catch(l=>E("answer_invalid",l.message));a&&this.#t==t&&this.#i(a)}),this}stop(){return this.#i(E("stopped","stop was called")),this}#i(t){this.#t?.abort(),this.#t=void 0,this.#s(),this.#e.status.set("stopped",t)}on(t,e){return this.#e.events.add(t,e),this}once(t,e){return this.#e.events.add(t,e,{once:!0}),this}off(t,e){return this.#e.events.of(t).delete(e),this}addEventListener(t,e,r){this.#e.events.add(t,e,r)}removeEventListener(t,e){this.#e.events.of(t).delete(e)}async*[Symbol.asyncIterator](){let t,e,r,n=i=>new Promise(a=>{t={message:i,done:a},r?.()}),s=i=>{i.retrying||(e=i,r?.())};this.on("message",n).on("disconnected",s).start();try{for(;!t&&!e&&await new Promise(l=>r=l),!!t;){let{message:i,done:a}=t;t=void 0;try{yield i}finally{a()}}if(e?.code!="stopped")throw e?.error}finally{this.off("message",n).off("disconnected",s),e||this.stop()}}publish(t,e,r){return this.#o(t,e,r)}async#a(t,...e){let{store:r,storeKey:n}=this.#e.options;if(r)try{return await r[r.getItem?`${t}Item`:t](n,...e)}catch(s){this.#e.events.report("store_failed",s)}}};function be({server:o,prefix:t="/api"}){let e=/^http/.test(import.meta.url)?import.meta.url:globalThis.location?.href;return(o??new URL(e).origin).replace(/\/$/,"")+t}export{le as LongPollingClient};
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
     * @param {Listener<Type> | { handleEvent: Listener<Type> }} listener
     * @param {boolean | AddEventListenerOptions} [options]
     */
    addEventListener<Type_3 extends keyof ClientEvents>(type: Type_3, listener: Listener<Type_3> | {
        handleEvent: Listener<Type_3>;
    }, options?: boolean | AddEventListenerOptions | undefined): void;
    /**
     * @template {keyof ClientEvents} Type
     * @param {Type} type
     * @param {Listener<Type> | { handleEvent: Listener<Type> }} listener
     */
    removeEventListener<Type_4 extends keyof ClientEvents>(type: Type_4, listener: Listener<Type_4> | {
        handleEvent: Listener<Type_4>;
    }): void;
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
     * stops the client, `stop` ends the loop, and a refusal by the server is thrown.
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
 * `answer_invalid`, `token_failed`, `queue_full`, `fate_unknown`, or `http_502` where the status is all there is.
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
     * `delay`, in
     * milliseconds, when it is waiting and polls by itself
     */
    state: {
        type: "state";
        state: State;
        previous: State;
        delay?: number;
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
