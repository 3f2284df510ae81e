// The page's own words in the reader's language. What the document holds (causes, reasons, names) stays as the tool says it.

const LANGUAGES = { en: "en", zh: "zh-CN" };

// English is what the code says; {0} is where its parts go.
const CHINESE = {
  // statuses and witnesses
  pass: "通过", fail: "失败", inconclusive: "无法判定", prediction: "预测",
  expected: "期望", predicted: "预测", captured: "实测", none: "无", "nothing said": "未说明", differs: "不一致",
  "stands alone": "孤证", "{0} stands alone in": "仅{0}不同：", "{0} {1}": "{0}{1}", "not as predicted": "与预测不符", "{0}: {1}": "{0}：{1}",
  "The witnesses part here": "三方见证在此不一致", "nobody: all three differ": "没有：三方各不相同",
  "the author says nothing of it": "作者没有说明", "What each witness says where they part": "三方见证的分歧",
  "Who stands alone": "谁是孤证",
  // the page
  "Skip to the packet": "跳到报文", "Predicted by a model of RFC 8986; no packet was sent.": "由 RFC 8986 模型推算，没有发送报文。",
  "Judged on captured packets.": "依据抓到的报文判定。", Display: "显示", "Large text": "大字", Dark: "深色", Print: "打印",
  "Exercise, probe and walk": "练习、探测和轨迹", Exercise: "练习", Probe: "探测", Walk: "轨迹", ", by {0}": "，经 {0}",
  "Topology and packet": "拓扑与报文", "No NIC sees this packet.": "没有一块网卡看到这个报文。",
  "This exercise has no packet to follow.": "这个练习没有可以跟踪的报文。", "No exercise here has a packet to follow.": "这里的练习都没有可以跟踪的报文。",
  "While this probe is on its way the exercise changes": "探测途中，练习会改动", "Before this probe the exercise changes": "发出这个探测之前，练习会改动",
  "This page can't be drawn: {0}": "页面无法显示：{0}",
  // stepping
  "Step through the walk": "沿轨迹逐跳查看", "First hop": "第一跳", "First hop (Home)": "第一跳（Home）", "Previous hop": "上一跳",
  "Previous hop (←)": "上一跳（←）", "Next hop": "下一跳", "Next hop (→)": "下一跳（→）", "Last hop": "最后一跳", "Last hop (End)": "最后一跳（End）",
  Play: "播放", "Play the walk (P)": "播放轨迹（P）", Pause: "暂停", "Play again": "重播", "{0} step, {1} plays": "{0} 逐跳，{1} 播放",
  "{0} of {1}: {2}": "第 {0} 跳，共 {1} 跳：{2}", "Hop {0} of {1}, {2}": "第 {0} 跳，共 {1} 跳，{2}", "hop {0} of {1}": "第 {0} 跳，共 {1} 跳",
  // a hop
  "Copy link": "复制链接", Copied: "已复制", "Copy it from here": "从这里复制", "Link to this hop": "这一跳的链接", "All fields": "全部字段",
  "By the model": "按模型", "Linux departs from {0} here": "Linux 在此与 {0} 不同", "the RFC": "RFC", "Still as Linux does it: {0}": "仍按 Linux 的做法：{0}",
  "Linux departs from the RFC here: {0}": "Linux 在此与 RFC 不同：{0}", pushed: "压入", "taken off": "去掉", changed: "有变化",
  "Not captured here.": "这里没有抓到。", "No tracer is here.": "这里没有抓包。", "What follows is the prediction.": "下面是预测。",
  "not captured": "没有抓到", "not captured, predicted: ": "没有抓到，预测为：", "no tracer here, predicted: ": "这里没有抓包，预测为：",
  "The walk, NIC by NIC": "轨迹：逐块网卡", "if {0}": "条件：{0}", "On Linux": "在 Linux 上",
  "Predicted packets are drawn as Linux writes them; where the RFC says otherwise, the boxes show both.":
    "预测的报文按 Linux 的写法画出；与 RFC 不同的地方，框里两种都列出。",
  "These packets were captured; the model doesn't foresee them.": "这些报文是抓到的，模型没有预测到。",
  "not delivered": "没有送达", ": the prediction is that it is delivered at {0}; in this run {1}": "：预测送达 {0}，而这一次{1}",
  "its packets were last seen at {0}": "报文最后出现在 {0}", "none of its packets was seen": "一个报文也没有看到",
  delivered: "送达", lost: "丢失", "not modeled from here on": "此后模型不再推算", "{0} at {1}": "{0} {1}",
  "All hops of {0}": "{0} 的所有跳", "Probe {0}: {1}": "探测 {0}：{1}",
  // headers and bytes
  "Inner {0}": "内层 {0}", inner: "内层", middle: "中间层", "new here": "新增", field: "字段", ", was {0}": "，原为 {0}", ", was not there": "，原来没有",
  "first to visit": "最先经过", active: "活跃", "Active segment": "活跃段", "in the destination": "在目的地址里", "no packet": "没有报文",
  "not in the list: Segments Left points behind its end. In a reduced SRH (RFC 8986 section 5.2) the first segment is in the destination address alone.":
    "不在段列表里：Segments Left 指向列表末尾之后。精简 SRH（RFC 8986 第 5.2 节）的第一段只在目的地址里。",
  "{0} captured": "抓到 {0}", ", the first {0} here": "，这里列出前 {0} 个", "Packet {0}": "第 {0} 个报文", "frame {0} of {1}, {2} bytes": "{1} 第 {0} 帧，{2} 字节",
  "Bytes of the packet. Arrow keys move from byte to byte and name the field; Escape lets go.": "报文的字节。用方向键逐字节移动并报出字段，按 Esc 取消选择。",
  Bytes: "字节", "Choose a field or a byte.": "点一个字段或一个字节。", "Fields of the packet": "报文的字段",
  "These are the bytes of packet {0}, whose fields are the same.": "这是第 {0} 个报文的字节，字段相同。",
  "The first {0} of {1} bytes.": "前 {0} 字节，共 {1} 字节。", "{0} from byte {1}": "从第 {1} 字节起，{0}",
  // causes
  "The cause": "原因", "Causes, the likeliest first": "原因，最可能的在前", Cause: "原因", Proved: "已证实", "Not proved": "未证实", Compare: "核对",
  Kind: "类型", Node: "节点", "by {0}": "命令：{0}", "To mend it": "修复",
  "how many packets": "报文个数", "share of the flows": "流的占比", answers: "应答",
  // the picture
  "Topology: {0}, {1}": "拓扑：{0}，{1}", "{0}. All of it stands in the tables under “Topology in words”.": "{0}。全部内容见“拓扑明细”里的表格。",
  "Picture of the topology": "拓扑图", "Size of the picture": "图的大小", "Smaller picture": "缩小", "Larger picture": "放大", Fit: "适应窗口",
  "service {0} in namespace {1}": "服务 {0}，在命名空间 {1} 里", "service {0}": "服务 {0}",
  // tables
  Verdict: "判定", "Show all {0}": "显示全部 {0} 条", "all {0}": "全部 {0}", "{0} judged": "共判定 {0}", Show: "显示",
  "What was judged, and what each witness says": "判定了什么，三方见证各怎么说", What: "内容", Status: "结果", Where: "位置", Field: "字段",
  Expected: "期望", Predicted: "预测", Captured: "实测", Alone: "孤证", Note: "备注",
  Alerts: "告警", "Alerts of the services": "各服务的告警", Service: "服务", Signature: "特征", Source: "源地址", Destination: "目的地址", Tunnel: "隧道", Count: "次数",
  Counters: "计数器", "Counters of SIDs and firewalls": "SID 和防火墙的计数器", Counter: "计数器", Seen: "实际",
  "SR proxies, before and after": "SR 代理前后", Side: "方向", before: "之前", after: "之后",
  "{0} on {1}, SID {2}, probe {3}: what each half of it takes in and gives out ({4})": "{1} 上的 {0}，SID {2}，探测 {3}：前后两半各收到什么、送出什么（{4}）",
  "Routing messages": "路由协议消息", "Messages of the routing protocols that were judged": "判定过的路由协议消息", Protocol: "协议", At: "位置", Message: "消息",
  "SR policies": "SR Policy", "Candidate paths of {0} at headend {1}": "头端 {1} 上 {0} 的候选路径", "Candidate path": "候选路径", Preference: "优先级",
  Valid: "有效", Active: "活跃", Why: "理由", "Segment lists": "段列表", valid: "有效", "not valid": "无效", no: "否",
  "action {0}": "动作 {0}", "binding SID {0}": "Binding SID {0}", "while {0}": "条件 {0}", ", weight {0}": "，权重 {0}",
  "Where Linux departs from the RFC": "Linux 与 RFC 不同之处", "At {0}": "出现在 {0}", " and {0} more": "，另有 {0} 处",
  "Topology in words": "拓扑明细", Nodes: "节点", Role: "角色", Locator: "Locator", Addresses: "地址", SIDs: "SID", Services: "服务", Policies: "策略", "in {0}": "在 {0} 里",
  Links: "链路", Link: "链路", Prefixes: "前缀", Ends: "两端",
  // how many
  "{0} thing": "{0} 项", "{0} things": "{0} 项", "{0} packet": "{0} 个报文", "{0} packets": "{0} 个报文", "{0} byte": "{0} 字节", "{0} bytes": "{0} 字节",
  "{0} node": "{0} 个节点", "{0} nodes": "{0} 个节点", "{0} link": "{0} 条链路", "{0} links": "{0} 条链路",
};

let language = "en";

/** The language that the address asks for (`?lang=zh`), or that the browser speaks. */
function chosenLanguage() {
  return /^zh\b/i.test(new URLSearchParams(location.search).get("lang") ?? navigator.language) ? "zh" : "en";
}

/** The address keeps it. */
function speak(which) {
  language = which;
  document.documentElement.lang = LANGUAGES[which];
  try {
    const url = new URL(location.href);
    url.searchParams.set("lang", which);
    history.replaceState(null, "", url);
  } catch {
    // a page in a frame without an address of its own: it is spoken until the page is left
  }
}

/** Words with their parts: text, or a list of text and nodes where a part is no text. */
function say(words, ...parts) {
  const told = language === "zh" && Object.hasOwn(CHINESE, words) ? CHINESE[words] : words;
  const pieces = told.split(/\{(\d)\}/).map((piece, index) => (index % 2 ? parts[piece] : piece));
  return parts.some((part) => part !== null && typeof part === "object") ? pieces : pieces.join("");
}

const said = (several) => several.map((words) => say(words));
const plural = (count, word) => say(count === 1 ? `{0} ${word}` : `{0} ${word}s`, count);

language = chosenLanguage();
document.documentElement.lang = LANGUAGES[language];
