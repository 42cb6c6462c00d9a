//! nodeim's codes and words. Old server: codes differ by command; messages are shown to people as they are.

use serde::Serialize;

use crate::chat::error::{Error, Reason};
use crate::transport::Refusal;

/// What is particular about a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) needs_user: bool,
    /// The code when a parameter is missing or too long.
    invalid: u16,
    /// The code when it is so already.
    conflict: u16,
}

const fn open(name: &'static str, invalid: u16, conflict: u16) -> Rule {
    Rule { name, needs_user: false, invalid, conflict }
}

const fn user(name: &'static str, invalid: u16, conflict: u16) -> Rule {
    Rule { name, needs_user: true, invalid, conflict }
}

const fn modern(name: &'static str) -> Rule {
    Rule { name, needs_user: true, invalid: 400, conflict: 409 }
}

const RULES: &[Rule] = &[
    open("signup", 404, 405),
    open("signin", 403, 402),
    open("retrieve", 404, 405),
    user("signout", 403, 500),
    user("find", 403, 500),
    user("message", 404, 500),
    user("subscribe", 403, 306),
    user("reply", 403, 500),
    user("unsubscribe", 403, 500),
    user("friends", 403, 500),
    user("group", 403, 500),
    user("room.create", 404, 500),
    user("room.join", 404, 500),
    user("room.leave", 404, 500),
    user("room.list", 404, 500),
    user("room.message", 404, 500),
    user("log", 403, 500),
    user("presence", 403, 500),
    user("profile", 404, 405),
    modern("conversations"),
    modern("history"),
    modern("search"),
    modern("resume"),
    modern("edit"),
    modern("recall"),
    modern("read"),
    modern("typing"),
    modern("mute"),
    modern("sessions"),
    modern("sessions.end"),
    modern("room.members"),
    modern("room.profile"),
    modern("room.invite"),
    modern("room.admin"),
    modern("room.mute"),
    modern("room.kick"),
    modern("room.delete"),
    modern("requests"),
    modern("block"),
    modern("unblock"),
    modern("blocks"),
    modern("users"),
];

/// The rule of the command `name`.
pub(super) fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// A reply that says what went wrong: `{"code": 404, "message": "...", "reason": "no_such_user"}`.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: u16,
    /// For people.
    message: &'static str,
    /// For programs.
    reason: Cause,
}

/// The domain's reasons, and those that are no one's in particular.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(untagged)]
enum Cause {
    Reason(Reason),
    Other(&'static str),
}

/// The reply for an error of the command with this rule.
pub(super) fn fault(rule: &Rule, error: &Error) -> Fault {
    let other = |code, message, cause| Fault { code, message, reason: Cause::Other(cause) };
    let (code, reason) = match error {
        Error::Invalid(reason) => (rule.invalid, *reason),
        Error::Forbidden(Reason::WrongAnswer) => (406, Reason::WrongAnswer),
        Error::Forbidden(reason) => (403, *reason),
        Error::NotFound(reason) => (404, *reason),
        Error::Conflict(reason) => (rule.conflict, *reason),
        Error::NotSignedIn => return other(403, "尚未登陆", "not_signed_in"),
        // The same code as for a wrong password: clients know no other here.
        Error::TooMany if rule.name == "signin" || rule.name == "retrieve" => {
            return other(404, "尝试次数过多，请稍后再试", "too_many");
        }
        Error::TooMany => return refused(Refusal::TooFast),
        Error::Unavailable(_) => return refused(Refusal::Closing),
        Error::Internal(_) => return other(500, "服务器内部错误", "internal"),
    };
    Fault { code, message: words(reason), reason: Cause::Reason(reason) }
}

/// The reply for an event that is no command.
pub(super) fn unknown_command() -> Fault {
    Fault { code: 404, message: "未知命令", reason: Cause::Other("unknown_command") }
}

/// The reply for a command that is not even tried.
pub(super) fn refused(why: Refusal) -> Fault {
    match why {
        Refusal::TooFast => {
            Fault { code: 429, message: "操作过于频繁，请稍后再试", reason: Cause::Other("too_many") }
        }
        Refusal::Closing => {
            Fault {
                code: 500, message: "服务器暂时不可用，请稍后再试", reason: Cause::Other("unavailable")
            }
        }
    }
}

fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::MissingParameter => "缺少必要参数",
        Reason::Unreadable => "参数无法识别",
        Reason::BadUsername => "用户名不可用",
        Reason::BadPassword => "密码不可用",
        Reason::BadName => "名称不可用",
        Reason::TextTooLong => "内容过长",
        Reason::BadPresence => "状态不可用",
        Reason::ProfileTooLarge => "资料过多或过长",
        Reason::TooMany => "一次请求过多",
        Reason::TooManyCriteria => "查询条件过多",
        Reason::ListFull => "数量已达上限",
        Reason::BadEmail => "邮箱不可用",
        Reason::UsernameTaken => "用户名已存在",
        Reason::EmailTaken => "邮箱已被使用",
        Reason::SignedInElsewhere => "已在其他地方登陆",
        Reason::AlreadySignedIn => "已经登陆",
        Reason::AlreadyRequested => "已经发送过请求或已是好友",
        Reason::NoSuchUser => "用户不存在",
        Reason::WrongPassword => "用户名或密码错误",
        Reason::NoSuchRoom => "房间不存在",
        Reason::NotAMember => "不是房间成员",
        Reason::NoRequest => "没有该用户的好友请求",
        Reason::NotAFriend => "不在好友列表中",
        Reason::NoQuestion => "没有设置密码提示问题",
        Reason::WrongAnswer => "答案错误",
        Reason::WrongToken => "登陆已失效",
        Reason::NoSuchSession => "会话不存在",
        Reason::NoSuchMessage => "消息不存在",
        Reason::TooLate => "已超过允许的时间",
        Reason::NoSuchFile => "文件不存在",
        Reason::NoFile | Reason::Aborted => "未上传文件",
        Reason::NotAPicture => "不是可用的图片",
        Reason::TooLarge => "文件过大",
        Reason::QuotaUsedUp => "存储空间已用完",
        Reason::TooSlow => "上传超时",
        Reason::DiskFull => "服务器磁盘空间不足",
        Reason::Blocked => "对方拒绝接收你的消息",
        Reason::NotAllowed => "没有权限",
        Reason::Muted => "你已被禁言",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_parameters_have_the_code_of_the_old_server() {
        let code = |name: &str| fault(rule(name).unwrap(), &Error::missing()).code;
        for name in ["signin", "subscribe", "unsubscribe", "reply", "group", "presence"] {
            assert_eq!(code(name), 403, "{name}");
        }
        for name in ["signup", "message", "profile", "retrieve", "room.create", "room.join", "room.leave", "room.list"]
        {
            assert_eq!(code(name), 404, "{name}");
        }
    }

    #[test]
    fn causes_stay_inside() {
        let error = Error::unavailable("password=secret");
        let text = serde_json::to_string(&fault(rule("message").unwrap(), &error)).unwrap();
        assert_eq!(text, r#"{"code":500,"message":"服务器暂时不可用，请稍后再试","reason":"unavailable"}"#);
    }
}
