//! Database errors as errors of the domain.

use crate::chat::error::Error;

/// A failure that says nothing about the request: the database is away, busy or full, or there is a fault in a
/// query. Constraint violations that mean something are handled where the query is made.
pub(super) fn failed(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(database) if database.kind() != sqlx::error::ErrorKind::Other => Error::internal(error),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) | sqlx::Error::Decode(_) => {
            Error::internal(error)
        }
        _ => Error::unavailable(error),
    }
}

/// Whether a row of the same key is there already.
pub(super) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether a particular row is at fault, so that the other rows of a batch may do better without it.
pub(super) fn blames_a_row(error: &sqlx::Error) -> bool {
    let Some(database) = error.as_database_error() else {
        return false;
    };
    // PostgreSQL's class 22 is "data exception".
    database.kind() != sqlx::error::ErrorKind::Other || database.code().is_some_and(|code| code.starts_with("22"))
}

/// Whether PostgreSQL ended a transaction in favour of another one (deadlock, serialization).
pub(super) fn is_rivalry(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "40P01" || code == "40001")
}
