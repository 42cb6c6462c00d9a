//! Uploads that came to nothing: how that is said and counted.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use tracing::{debug, error, warn};

use crate::chat::error::{Error, Reason};
use crate::metrics::Metrics;

/// An upload that was refused or failed.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    /// For programs.
    reason: String,
    /// For people.
    pub(super) message: &'static str,
}

impl Fault {
    /// The one place where causes are logged: they are not sent out.
    pub(super) fn of(error: &Error) -> Self {
        let other = |status, reason: &str, message| Self { status, reason: reason.to_owned(), message };
        match error {
            Error::NotSignedIn => other(StatusCode::UNAUTHORIZED, "not_signed_in", "尚未登陆"),
            Error::TooMany => other(StatusCode::TOO_MANY_REQUESTS, "too_many", "操作过于频繁，请稍后再试"),
            Error::Unavailable(cause) => {
                warn!(%cause, "an upload failed");
                other(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "服务器暂时不可用，请稍后再试")
            }
            Error::Internal(cause) => {
                error!(%cause, "an upload failed");
                other(StatusCode::INTERNAL_SERVER_ERROR, "internal", "服务器内部错误")
            }
            Error::Invalid(reason) | Error::Forbidden(reason) | Error::NotFound(reason) | Error::Conflict(reason) => {
                debug!(%reason, "an upload was refused");
                let name = serde_json::to_value(reason).ok().as_ref().and_then(Value::as_str).map(str::to_owned);
                Self { status: status(error, *reason), reason: name.unwrap_or_default(), message: words(*reason) }
            }
        }
    }
}

fn status(error: &Error, reason: Reason) -> StatusCode {
    match (error, reason) {
        (_, Reason::WrongToken) => StatusCode::UNAUTHORIZED,
        (_, Reason::TooLarge | Reason::QuotaUsedUp) => StatusCode::PAYLOAD_TOO_LARGE,
        (_, Reason::DiskFull) => StatusCode::INSUFFICIENT_STORAGE,
        (_, Reason::TooSlow) => StatusCode::REQUEST_TIMEOUT,
        (Error::Invalid(_), _) => StatusCode::BAD_REQUEST,
        // Users and rooms to which one may not send, whether they are there or not.
        _ => StatusCode::FORBIDDEN,
    }
}

fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::WrongToken => "登陆已失效",
        Reason::TooLarge => "文件过大",
        Reason::QuotaUsedUp => "存储空间已用完",
        Reason::DiskFull => "服务器磁盘空间不足",
        Reason::TooSlow => "上传超时",
        Reason::NotAPicture => "不是可用的图片",
        Reason::NoSuchUser => "用户不存在",
        Reason::NoSuchRoom => "房间不存在",
        Reason::NotAMember => "不是房间成员",
        Reason::MissingParameter => "缺少必要参数",
        // No form, no part, an empty file, a form that ends early.
        Reason::NoFile | Reason::Unreadable | Reason::Aborted => "未上传文件",
        _ => "没有权限",
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            code: u16,
            reason: String,
            message: &'static str,
        }
        let body = Body { code: self.status.as_u16(), reason: self.reason, message: self.message };
        (self.status, Json(body)).into_response()
    }
}

/// Counts an upload that fails, also one whose client goes away so that nobody is left to be told.
pub(super) struct Attempt(Option<Arc<Metrics>>);

impl Attempt {
    pub(super) fn new(metrics: &Arc<Metrics>) -> Self {
        Self(Some(Arc::clone(metrics)))
    }

    pub(super) fn succeeded(mut self) {
        self.0 = None;
    }

    pub(super) fn failed(mut self, fault: &Fault) {
        self.count(fault.reason.clone());
    }

    fn count(&mut self, reason: String) {
        if let Some(metrics) = self.0.take() {
            metrics.upload_failed(reason);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.count("aborted".to_owned());
    }
}
