//! MumiChat's codes and words. Its client looks at the codes alone; from 10000 on they are errors to it.

use super::wire::Verb;
use crate::chat::error::{Error, Reason};
use crate::config::Texts;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Code {
    Success = 200,
    MessageSent = 201,
    LoggedIn = 202,
    Registered = 203,
    BroadcastSent = 204,
    Failed = 500,
    WrongPassword = 10000,
    LoginFailed = 10001,
    RegisterFailed = 10002,
    UserExists = 10003,
    ExistCheckFailed = 10004,
    LoggedInElsewhere = 10005,
    NotLoggedIn = 10007,
    NotOnline = 10008,
    QueryFailed = 10011,
}

/// What comes with a code.
pub(super) fn text(code: Code, texts: Texts) -> &'static str {
    let (english, chinese) = match code {
        Code::Success => ("success", "操作成功"),
        Code::MessageSent => ("message sended", "訊息發送成功"),
        Code::LoggedIn => ("login success", "登入成功"),
        Code::Registered => ("register success", "註冊成功"),
        Code::BroadcastSent => ("broadcast success", "廣播發送成功"),
        Code::Failed => ("failed", "failed"),
        Code::WrongPassword => ("User not found.", "使用者名稱或密碼錯誤"),
        Code::LoginFailed => ("authorize failed", "認證失敗請重試"),
        Code::RegisterFailed => ("register failed", "使用者創建失敗"),
        Code::UserExists => ("user is existed", "使用者已存在"),
        // Old server: these two had no English text.
        Code::ExistCheckFailed | Code::QueryFailed => ("查詢使用者失敗", "查詢使用者失敗"),
        Code::LoggedInElsewhere => ("multi user login", "使用者已在其他地方登入"),
        Code::NotLoggedIn => ("please login first", "請先進行登入"),
        Code::NotOnline => ("user is not online", "使用者目前不在線上"),
    };
    match texts {
        Texts::English => english,
        Texts::Chinese => chinese,
        // Old server: its README promises Chinese for these two, its code sent English.
        Texts::Published if matches!(code, Code::Success | Code::MessageSent) => chinese,
        Texts::Published => english,
    }
}

/// The code for an error. Which one stands for a failure of the database differs by request.
pub(super) fn of_error(verb: Verb, error: &Error) -> Code {
    let is_failure = matches!(error, Error::Unavailable(_) | Error::Internal(_));
    match (verb, error) {
        (Verb::Login, Error::Conflict(_)) => Code::LoggedInElsewhere,
        (Verb::Login, _) => {
            if is_failure {
                Code::LoginFailed
            } else {
                Code::WrongPassword
            }
        }
        (Verb::Register, Error::Conflict(Reason::EmailTaken)) => Code::UserExists,
        (Verb::Register, _) => {
            if is_failure {
                Code::ExistCheckFailed
            } else {
                Code::RegisterFailed
            }
        }
        (_, Error::NotSignedIn) => Code::NotLoggedIn,
        (Verb::Query, _) => Code::QueryFailed,
        // Unknown, or one wants to hear nothing from the sender: to them that looks the same.
        (Verb::Message, Error::NotFound(_) | Error::Forbidden(_)) => Code::NotOnline,
        _ => Code::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_codes_of_the_old_server() {
        let (down, busy) = (Error::unavailable("x"), Error::TooMany);
        for (verb, error, code) in [
            (Verb::Login, &Error::NotFound(Reason::WrongPassword), 10000),
            (Verb::Login, &busy, 10000),
            (Verb::Login, &down, 10001),
            (Verb::Login, &Error::Conflict(Reason::SignedInElsewhere), 10005),
            (Verb::Register, &Error::missing(), 10002),
            (Verb::Register, &busy, 10002),
            (Verb::Register, &Error::Conflict(Reason::EmailTaken), 10003),
            (Verb::Register, &down, 10004),
            (Verb::Query, &Error::NotSignedIn, 10007),
            (Verb::Query, &down, 10011),
            (Verb::Message, &Error::NotSignedIn, 10007),
            (Verb::Message, &Error::Forbidden(Reason::Blocked), 10008),
            (Verb::Message, &Error::NotFound(Reason::NoSuchUser), 10008),
            (Verb::Message, &Error::missing(), 500),
            (Verb::Broadcast, &busy, 500),
        ] {
            assert_eq!(of_error(verb, error) as u16, code, "{verb:?} {error}");
        }
    }

    #[test]
    fn words_can_be_chosen() {
        assert_eq!(text(Code::Success, Texts::Published), "操作成功");
        assert_eq!(text(Code::Success, Texts::English), "success");
        assert_eq!(text(Code::LoggedIn, Texts::Published), "login success");
        assert_eq!(text(Code::NotOnline, Texts::Chinese), "使用者目前不在線上");
    }
}
