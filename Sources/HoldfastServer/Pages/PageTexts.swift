// swift-format-ignore-file
// Made by scripts/generate-pages; a test checks that it is current.

enum PageTexts {
  /// clients/javascript/src, as one module.
  static let module = ##"""
var z=(o,t)=>{let e=o.split(".");return t.map((n,r)=>e[r]??o)},Q=o=>o.split(".").includes("now");function te(o,t,e,n){let r={cursor:e,async move(s){s!=r.cursor&&await n(r.cursor=s)},async deliver({gap:s=[],messages:i,cursor:a},f){let h=s.length+i.length;for(let l of s)if(await o.emit("gap",{...l,type:"gap"}),--h&&f.aborted)return;let y=z(a,t),p=z(r.cursor,t).map((l,u)=>i.some(({channel:w})=>w==t[u])?l:y[u]);for(let l of i)if(await o.emit("message",{...l,type:"message"}),p[t.indexOf(l.channel)]=l.id,await r.move(p.join(".")),--h&&f.aborted)return;await r.move(a)}};return r}var ue=["message","gap","connected","disconnected","error","state"];function oe(){let o=new Map(ue.map(e=>[e,new Map])),t={of(e){let n=o.get(e);if(n)return n;throw new TypeError(`no event '${e}'`)},add(e,n,r){let{once:s,signal:i}=Object(r),a=t.of(e);i?.aborted||(a.set(n,s),i?.addEventListener("abort",()=>a.delete(n)))},emit(e,n){let r=t.of(e);return Promise.all([...r].map(async([s,i])=>{if(r.has(s)){i&&r.delete(s);try{await(s.handleEvent??s).call(s,n)}catch(a){e=="error"?console.error(a):t.report("handler_failed",a)}}}))},report(e,n){let r={type:"error",code:e,detail:`${n?.message??n}`,error:n};t.of("error").size?t.emit("error",r):console.error("holdfast:",e,n)}};return t}var k=(o,t,e)=>Object.assign(new Error(`${o}: ${t}`),{code:o,detail:t},e),W=()=>k("answer_invalid","no answer of Holdfast");function ne({status:o,headers:t},e){let n=typeof e?.code=="string";return k(n?e.code:`http_${o}`,e?.detail||e?.error||`status ${o}`,{status:o,retryAfter:Math.min(Number(/^\d+$/.exec(t.get("Retry-After")??""))*1e3,3e5),isRefusal:o>=400&&o<500&&o!=408&&o!=429})}function H({world:o,options:t},e,n=0){let{retryDelayMin:r,retryDelayMax:s}=t,i=Math.max(n,Math.min(s,r*2**(e-1))*o.random()),a=o.now(),f,h=new Promise(l=>f=l),y=o.setTimeout(f,i),p=l=>{let u=Math.min(l,a+l-o.now());o.clearTimeout(y),u>0?y=o.setTimeout(f,u):f()};return{delay:i,over:h,cut:()=>p(n),end:()=>p(0)}}var G=1e3,Y=5e3;function J(o){let{world:t,options:e,ask:n,channels:r,delivery:s,events:i,status:a}=o,{pollTimeout:f,limit:h,maxRetries:y}=e,p="poll/"+r.map(encodeURIComponent),l,u=0,w,v,_=()=>{};return{sleep(){v??=new Promise(b=>_=b),l?.abort()},wake(){v=_(),w?.cut(),t.now()-u>=G&&l?.abort()},async run(b,g={}){let{isCatchUp:C,cursor:d=()=>s.cursor,take:x=A=>s.deliver(A,b)}=g,M=()=>{l?.abort(),w?.end(),v=_()},O=async(A,E)=>{w=H(o,A,E?.retryAfter),E&&a.set("waiting",E,w.delay),await w.over,w=void 0,E&&!b.aborted&&a.set("connecting")};b.addEventListener("abort",M);try{for(let A=0,E=0;;){if(await v,b.aborted)return;let S=d(),N=a.state!="connected",U=N||C||Q(S)?0:f,V={cursor:S,timeout:U/1e3,...h!=null&&{limit:h}},K=u=t.now(),F=l=new AbortController,c;try{c=await n(p,V,{},U+Y,F.signal);let{cursor:m,gap:$=[],messages:L}=c??{},R=I=>I?.every?.(P=>P?.channel);if(!m?.split||![$,L].every(R))throw W()}catch(m){if(b.aborted)return;if(F.signal.aborted)continue;if(m.isRefusal||A>=y)return m;A+=1,await O(A,m);continue}finally{l=void 0}if(E=!c.messages.length&&!c.gap&&!N&&t.now()-K<Math.min(G,U||G)?E+1:0,A=0,b.aborted||a.set("connected"),b.aborted||(await x(c,S),C&&!c.more))return;E==5&&i.report("answers_empty","no answer waits"),E>1&&!b.aborted&&await O(E-1)}}finally{b.removeEventListener("abort",M)}}}}var fe=3e4,de=54e4;function re(o){let{options:t,ask:e,world:n}=o,r=[],s;async function i(){let f=n.listen(()=>s?.cut());for(;r.length;r.shift())await a(r[0]).then(r[0].resolve,r[0].reject);f()}async function a({channel:f,body:h,key:y,ttl:p}){let l={"Content-Type":"application/json","Idempotency-Key":y},u="publish/"+encodeURIComponent(f),w;for(let v=1;;v++){let _=n.isOffline(),b=n.now();try{let g=await e(u,p==null?{}:{ttl:p},{method:"POST",body:h,headers:l},fe);if(!g?.message_id)throw W();return{id:g.message_id,channel:f,timestamp:g.timestamp,subscribers:g.subscribers}}catch(g){if(g.isRefusal||v>t.maxRetries)throw g;if(!(g.code=="token_failed"||g.status&&!g.code.startsWith("http_"))&&!_&&(w??=b),s=H(o,v,g.retryAfter),await s.over,s=void 0,w!==void 0&&n.now()-w>=de)throw k("fate_unknown",`perhaps published: ${g.detail}`)}}}return(f,h,{key:y=n.uuid(),ttl:p}={})=>new Promise((l,u)=>{let w=JSON.stringify(h);if(w===void 0)throw new TypeError("not JSON");if(r.length>=t.publishQueueMax)throw k("queue_full",`${r.length} messages wait`);r.push({channel:f,body:w,key:y,ttl:p,resolve:l,reject:u})==1&&i()})}var pe=3e4;function se(o,t,{token:e,clientId:n=o.uuid()}){let r=typeof e=="function"&&e,s=r?void 0:e,i=!1;async function a(f,h,y,p,l){let u=new AbortController,w,v,_="token_failed",b=d=>{o.clearTimeout(w),w=o.setTimeout(()=>u.abort(k(_,`no answer within ${d/1e3} s`)),d)},g=new Promise((d,x)=>{u.signal.addEventListener("abort",()=>x(u.signal.reason))}),C=async()=>{try{r&&(s??=r(i)),v=s;let d=v&&{Authorization:`Bearer ${await v}`};_="timeout";let x={...y.headers,...d,"X-Client-ID":n},M=`${t}/${f}?${new URLSearchParams(h)}`,O=await o.fetch(M,{...y,headers:x,cache:"no-store",signal:u.signal});return b(pe),{response:O,text:await O.text()}}catch(d){throw k(_=="timeout"?"unreachable":_,d?.message??d)}};l?.addEventListener("abort",()=>u.abort()),b(p);try{let{response:d,text:x}=await Promise.race([g,C()]),M=me(x);if(d.status!=200)throw ne(d,M);return i=!1,M}catch(d){let x=r&&d.status==401,M=v==s;if(M&&(x||d.code=="token_failed")&&(s=void 0),!x||M&&i)throw d;M&&(i=!0)}finally{o.clearTimeout(w)}return a(f,h,y,p,l)}return a}function me(o){try{return JSON.parse(o)}catch{}}function ie(o){let t={state:"stopped",reason:void 0,relay(){},set(e,n,r){let s=t.state;if(e==s)return;Object.assign(t,{state:e,reason:n});let i=(a,f)=>{t.state==e&&o.emit(a,{...f,type:a})};i("state",{state:e,previous:s,delay:r,reason:n}),e=="connected"&&i(e,{}),n&&(s=="connected"||e=="stopped")&&i("disconnected",{...n,retrying:e!="stopped",error:n}),t.relay()}};return t}var he=2e3,we=100;function ae(o){let{channels:t,delivery:e,options:n,status:r,world:s}=o,{locks:i,BroadcastChannel:a}=s,f=`${o.name}:${n.shared}`,h=J(o),y=J(o),p=[],l=()=>{},u=new AbortController,w,v,_,b=!1,g,C=!1,d,x,M,O=()=>v==u&&!u.signal.aborted;function A(c){u.abort();let T=u=new AbortController,{signal:m}=T,$=()=>(w=T,l(),new Promise(R=>m.addEventListener("abort",R))),L=()=>{T.abort(),l()};i.request(f,c?{steal:c}:{signal:m},()=>m.aborted||$()).then(L,({name:R})=>(R=="AbortError"?L:$)())}async function E(){v=u,s.clearTimeout(M);let{cursor:c}=e;_=b?c:void 0,S();let T=(m,$)=>{c=m.cursor,_=m.more?void 0:c;let L={answer:m,from:$,head:_};x?.postMessage(L),K(L)};d=await h.run(u.signal,{cursor:()=>c,take:T})??d,l()}function S(){let{state:c,reason:T}=r;x?.postMessage({head:_,state:c,reason:T&&{...T}})}function N(){x?.postMessage("hello"),U(he,()=>A(!0))}function U(c,T){s.clearTimeout(M),M=s.setTimeout(()=>O()||C||T(),c)}function V(c){c!="hello"?(U(n.pollTimeout+2*Y,N),c.state&&(g=c),K(c)):O()&&S()}function K(c){p.push(c)>we&&p.shift(),l()}async function F({answer:c,from:T,head:m},$){let L=P=>z(P,t);if(!c||T!=e.cursor&&Q(e.cursor)){c=m&&{messages:[],cursor:m},T="";let P=(D,B)=>D=="now"?L(m)[B]:D;m&&await e.move(L(e.cursor).map(P).join("."))}if(c){let[P,D,B]=[e.cursor,T,c.cursor].map(L),X=j=>P[j]==D[j],Z=({channel:j})=>X(t.indexOf(j));if(b=!0,P.every((j,q)=>X(q)||j==B[q]||D[q]==B[q])){let j=P.map((q,ee)=>X(ee)?B[ee]:q).join(".");await e.deliver({gap:c.gap?.filter(Z),messages:c.messages.filter(Z),cursor:j},$)}else p=[],d=await y.run($,{isCatchUp:!0})??d}if(!g||!b||O()||d||$.aborted)return;let{state:R,reason:I}=g;R=="connecting"&&r.state!="waiting"||r.set(R,I&&k(I.code,I.detail,I))}return{sleep(){C=!0,y.sleep(),u.abort()},wake(){C=!1,h.wake(),y.wake(),!O()&&!u.signal.aborted&&N(),l()},async run(c){x=new a(f),x.onmessage=({data:m})=>V(m),r.relay=()=>O()&&S(),u.abort(),p=[],C=b=!1,d=g=void 0;let T=()=>{u.abort(),l()};for(c.addEventListener("abort",T);!c.aborted&&!d;){u.signal.aborted&&!C&&(A(),N());let m=p.shift();m?await F(m,c):w==u&&v!=u&&!u.signal.aborted?E():await new Promise($=>l=$)}return s.clearTimeout(M),x.close(),d}}}var ce={fetch:(o,t)=>fetch(o,t),now:()=>Date.now(),random:()=>Math.random(),setTimeout:(o,t)=>setTimeout(o,t),clearTimeout:o=>clearTimeout(o),uuid:()=>[...crypto.getRandomValues(new Uint8Array(16))].map(o=>(256+o).toString(16).slice(1)).join(""),isOffline:()=>globalThis.navigator?.onLine===!1,locks:globalThis.navigator?.locks,BroadcastChannel:globalThis.BroadcastChannel,listen(o,t){let{document:e}=globalThis,n=[[globalThis,"online",o],[globalThis,"pagehide",t],[globalThis,"pageshow",s=>s.persisted&&o()],[e,"freeze",t],[e,"resume",o],[e,"visibilitychange",()=>e.visibilityState=="visible"&&o()]],r=new AbortController;for(let[s,i,a]of n)s?.addEventListener?.(i,a,r);return()=>r.abort()}};var ye={cursor:"now",pollTimeout:3e4,retryDelayMin:1e3,retryDelayMax:3e4,maxRetries:1/0,publishQueueMax:1e3},le=class{#e;#o;#n;#t;#r=Promise.resolve();#s=()=>{};constructor(t,e={},n={}){let r=[t].flat(),s=be(e),i=`holdfast:${s}:${r}`,a={...e};for(let[p,l]of Object.entries({...ye,storeKey:i}))a[p]??=l;let f=oe(),h={...ce,...e.fetch&&{fetch:e.fetch},...n},y=this.#e={world:h,options:a,channels:r,name:i,events:f,status:ie(f),delivery:te(f,r,a.cursor,p=>this.#a("set",p)),ask:se(h,s,e)};this.#o=re(y),this.#n=(e.shared&&h.locks&&h.BroadcastChannel?ae:J)(y)}get state(){return this.#e.status.state}get cursor(){return this.#e.delivery.cursor}start(){if(this.#t)return this;let t=this.#t=new AbortController,{delivery:e,options:n,status:r,world:s}=this.#e,i=this.#n;return this.#s=s.listen(()=>i.wake(),()=>i.sleep()),r.set("connecting"),this.#r=this.#r.then(async()=>{this.cursor==n.cursor&&(e.cursor=await this.#a("get")||this.cursor);let a=await i.run(t.signal).catch(f=>k("answer_invalid",f.message));a&&this.#t==t&&this.#i(a)}),this}stop(){return this.#i(k("stopped","by stop()")),this}#i(t){this.#t?.abort(),this.#t=void 0,this.#s(),this.#e.status.set("stopped",t)}on(t,e){return this.#e.events.add(t,e),this}once(t,e){return this.#e.events.add(t,e,{once:!0}),this}off(t,e){return this.#e.events.of(t).delete(e),this}addEventListener(t,e,n){this.#e.events.add(t,e,n)}removeEventListener(t,e){this.#e.events.of(t).delete(e)}async*[Symbol.asyncIterator](){let t,e,n,r=i=>new Promise(a=>{t={message:i,done:a},n?.()}),s=i=>{i.retrying||(e=i,n?.())};this.on("message",r).on("disconnected",s).start();try{for(;!t&&!e&&await new Promise(f=>n=f),!!t;){let{message:i,done:a}=t;t=void 0;try{yield i}finally{a()}}if(e?.code!="stopped")throw e?.error}finally{this.off("message",r).off("disconnected",s),e||this.stop()}}publish(t,e,n){return this.#o(t,e,n)}async#a(t,...e){let{store:n,storeKey:r}=this.#e.options;if(n)try{return await n[n.getItem?`${t}Item`:t](r,...e)}catch(s){this.#e.events.report("store_failed",s)}}};function be({server:o,prefix:t="/api"}){let e=/^http/.test(import.meta.url)?import.meta.url:globalThis.location?.href;return(o??new URL(e).origin).replace(/\/$/,"")+t}export{le as LongPollingClient};
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
