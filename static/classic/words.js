// The texts, in English and Chinese.

const WORDS = {
  modern: ['The modern page', '新版页面'],
  intro: ['This page speaks as clients did in 2013: an example for who ports one.', '本页沿用 2013 年客户端的通讯方式，供移植者参考。'],
  username: ['User name', '用户名'],
  password: ['Password', '密码'],
  signIn: ['Sign in', '登录'],
  signUp: ['Create account', '注册'],
  signOut: ['Sign out', '退出'],
  status: ['Status', '状态'],
  profile: ['My profile', '我的资料'],
  friends: ['Friends', '好友'],
  nobody: ['Nobody yet', '还没有人'],
  find: ['Find', '查找'],
  findHint: ['User name or number', '用户名或号码'],
  add: ['Add', '加好友'],
  remove: ['Remove friend', '删除好友'],
  talkTo: ['Message', '发消息'],
  note: ['A note to your request', '附言'],
  wants: ['wants to be your friend. Accept?', '想加你为好友，同意吗？'],
  agreed: ['accepted your request', '同意了你的请求'],
  refused: ['refused your request', '拒绝了你的请求'],
  rooms: ['Rooms', '群'],
  noRooms: ['None yet', '还没有群'],
  roomHint: ['New name, or number', '新名称或群号'],
  create: ['Create', '创建'],
  join: ['Join', '加入'],
  leave: ['Leave room', '退出群'],
  joined: ['has joined', '加入了'],
  left: ['has left', '离开了'],
  members: ['Members', '成员'],
  here: ['Here', '在线'],
  away: ['Away', '离线'],
  messages: ['Messages', '消息'],
  write: ['Write a message', '输入消息'],
  send: ['Send', '发送'],
  log: ['What was said to me', '消息记录'],
  older: ['Older', '更早'],
  newer: ['Newer', '更新'],
  close: ['Close', '关闭'],
  nick: ['Nickname', '昵称'],
  sign: ['About me', '个性签名'],
  sex: ['Sex', '性别'],
  male: ['Male', '男'],
  female: ['Female', '女'],
  picture: ['Picture', '头像'],
  save: ['Save', '保存'],
  cancel: ['Cancel', '取消'],
  offline: ['No connection. Trying again …', '连接已断开，正在重连…'],
  在线: ['Online', '在线'],
  忙碌: ['Busy', '忙碌'],
  隐身: ['Invisible', '隐身'],
  离线: ['Offline', '离线'],
};

const chinese = /^zh/i.test(navigator.languages.find((tag) => /^(zh|en)\b/i.test(tag)) ?? 'en');
document.documentElement.lang = chinese ? 'zh-CN' : 'en';

export const t = (key) => WORDS[key]?.[chinese ? 1 : 0] ?? key;

/** Fills in what the HTML names. */
export function translate() {
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = t(element.dataset.text);
  for (const element of document.querySelectorAll('[data-title]')) element.title = t(element.dataset.title);
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', t(element.dataset.label));
    if ('placeholder' in element) element.placeholder = t(element.dataset.label);
  }
}
