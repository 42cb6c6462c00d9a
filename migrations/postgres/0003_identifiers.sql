-- An account may have several identifiers, of which one is looked for by its owner.
create index identifiers_by_user on identifiers (user_id, kind);
