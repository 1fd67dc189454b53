-- The nouns of the work. Every table is inside the wall: organisation first in every key, forced row security.
-- Second indexes say that a column "is not null" which cannot be: so only a query that names the column may use them. Without
-- it, a look-up by key that was planned while a table was small could take the organisation's whole part of such an index,
-- as cheap then as the key's own, and the plan is kept while the table grows.
-- Enumerations of the tables that dispatch writes are domains, whose checks a connection parses once; a CHECK of a table is
-- parsed again by every statement that writes to it, which was a fifth of what "next" and "submit" cost.
create domain evenhand.task_purpose text check (value in ('work', 'evaluation', 'training'));
create domain evenhand.task_state text check (value in ('todo', 'done', 'canceled', 'error'));
create domain evenhand.customer_review text check (value in ('pending', 'accepted', 'fixed', 'commented', 'rejected'));
create domain evenhand.queue_state text check (value in ('fetching', 'held', 'open', 'full', 'review', 'reviewing'));
create domain evenhand.seat_role text check (value in ('label', 'review'));
create domain evenhand.work_role text check (value in ('label', 'review', 'pilot'));
create domain evenhand.assignment_state text
    check (value in ('leased', 'submitted', 'expired', 'released', 'skipped', 'withdrawn'));
create domain evenhand.answer_origin text
    check (value in ('label', 'review', 'pilot', 'customer', 'merged', 'machine', 'gold'));
create domain evenhand.answer_state text check (value in ('current', 'extra', 'superseded', 'rejected'));
create table evenhand.project (
    org_id      text collate "C" not null references evenhand.org,
    project_id  text collate "C" not null,
    name_mac    bytea not null,
    kind        text not null,                    -- recipe: 'native', or the task type of a compatible door
    medium      text not null check (medium in ('image', 'text', 'conversation', 'none')),
    stage       text not null default 'live' check (stage in ('pilot', 'live')),
    state       text not null default 'active' check (state in ('active', 'paused', 'archived')),
    overlap     smallint not null default 1 check (overlap between 1 and 100),
    review      text not null default 'none' check (review in ('none', 'all', 'sample')),
    review_rate real not null default 0 check (review_rate between 0 and 1),
    lease_s     integer not null default 1200 check (lease_s between 10 and 86400),
    version     integer not null default 0 check (version >= 0),
    gold        boolean not null default false,   -- has tasks with a known answer: a lease looks for them
    gold_share  real not null default 0.1 check (gold_share between 0 and 0.5),   -- of the leases, once the course is passed
    pass_mark   real not null default 0.8 check (pass_mark between 0 and 1),      -- of the training course
    everyone    boolean not null default true,    -- every annotator and reviewer of the organisation has a seat
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    body        bytea not null,
    primary key (org_id, project_id)
);
create unique index project_name on evenhand.project (org_id, name_mac) where name_mac is not null;
create index project_idle on evenhand.project (org_id, project_id) where state <> 'active';
create table evenhand.project_version (
    org_id     text collate "C" not null,
    project_id text collate "C" not null,
    version    integer not null check (version >= 0),
    created_at timestamptz not null default now(),
    body       bytea not null,                    -- ontology, instructions, params, summary of the change
    primary key (org_id, project_id, version),
    foreign key (org_id, project_id) references evenhand.project
);
create table evenhand.batch (
    org_id       text collate "C" not null,
    batch_id     text collate "C" not null,
    project_id   text collate "C" not null,
    name_mac     bytea not null,
    state        text not null check (state in ('staging', 'in_progress', 'paused', 'completed', 'cancelled')),
    priority     smallint not null default 0,
    created_at   timestamptz not null default now(),
    completed_at timestamptz,
    body         bytea not null,
    primary key (org_id, batch_id),
    foreign key (org_id, project_id) references evenhand.project,
    check (state <> 'completed' or completed_at is not null)
);
create unique index batch_name on evenhand.batch (org_id, name_mac) where name_mac is not null;
create index batch_project on evenhand.batch (org_id, project_id, batch_id) where project_id is not null;
create table evenhand.seat (
    org_id      text collate "C" not null,
    project_id  text collate "C" not null,
    person_id   text collate "C" not null,
    role        evenhand.seat_role not null,
    served_at   timestamptz not null default '-infinity',
    cursor_rank smallint,                         -- where this person's search for a task begins until `cursor_until`
    cursor_task text collate "C",
    cursor_at   timestamptz not null default '-infinity',   -- when it was put there
    cursor_until timestamptz not null default '-infinity',
    primary key (org_id, project_id, person_id, role),
    foreign key (org_id, project_id) references evenhand.project,
    foreign key (org_id, person_id) references evenhand.member
);
create index seat_person on evenhand.seat (person_id, role);
create table evenhand.asset (
    org_id     text collate "C" not null references evenhand.org,
    asset_id   text collate "C" not null,
    state      text not null check (state in ('fetching', 'ready', 'error')),
    media_type text,
    size       bigint not null default 0 check (size >= 0),
    width      integer,
    height     integer,
    ref_mac    bytea,                             -- the customer's own reference id
    object     text collate "C",                  -- the random name of its file, for whoever looks for files that nothing needs
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    body       bytea not null,
    primary key (org_id, asset_id),
    unique (org_id, ref_mac),
    unique (org_id, object),
    check (state <> 'ready' or object is not null)
);
create table evenhand.task (
    org_id       text collate "C" not null,
    task_id      text collate "C" not null,
    project_id   text collate "C" not null,
    batch_id     text collate "C",
    kind         text not null,
    purpose      evenhand.task_purpose not null default 'work',
    state        evenhand.task_state not null default 'todo',
    priority     smallint not null default 0,
    review       evenhand.customer_review,        -- the customer's own
    unique_mac   bytea,
    tokens       bigint[],                        -- blind index: MACs of tags and of the words of the name
    result_id    text collate "C",                -- the answer that stands
    delivery_id  text collate "C",
    callback     boolean not null default false,
    labels       integer not null default 0,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    completed_at timestamptz,
    body         bytea not null,
    primary key (org_id, task_id),
    foreign key (org_id, project_id) references evenhand.project,
    foreign key (org_id, batch_id) references evenhand.batch,
    check (state <> 'done' or completed_at is not null)
);
create unique index task_unique on evenhand.task (org_id, unique_mac) where unique_mac is not null;
create index task_project on evenhand.task (org_id, project_id, task_id) include (state, purpose) where project_id is not null;
create index task_batch on evenhand.task (org_id, batch_id, task_id) include (state, purpose) where batch_id is not null;
-- No index on tokens: under row security an operator that is not leakproof, as @> is not, may not drive an index scan.
-- One narrow row for each unfinished task: what dispatch reads and writes, so that a lease never rewrites a body.
create table evenhand.queue (
    org_id     text collate "C" not null,
    task_id    text collate "C" not null,
    project_id text collate "C" not null,
    batch_id   text collate "C",
    state      evenhand.queue_state not null,
    rank       smallint not null default 0,       -- lower goes first: minus the priority
    overlap    smallint not null,
    taken      smallint not null default 0,       -- live leases and answers
    answered   smallint not null default 0,
    pilot      boolean not null default false,
    primary key (org_id, task_id),
    check (overlap >= 1 and taken <= overlap and answered between 0 and taken
           and (state <> 'open' or taken < overlap) and (state not in ('review', 'reviewing') or answered = overlap))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, vacuum_index_cleanup = on);
-- Whoever looks for the first open task reads past the entries of all that were open before it, until a vacuum clears them away.
create index queue_open on evenhand.queue (org_id, project_id, rank, task_id) where state = 'open';
create index queue_review on evenhand.queue (org_id, project_id, rank, task_id) where state = 'review';
create index queue_batch on evenhand.queue (org_id, batch_id) where batch_id is not null;
create index queue_project on evenhand.queue (org_id, project_id) where project_id is not null;
create table evenhand.assignment (
    org_id        text collate "C" not null,
    assignment_id text collate "C" not null,
    task_id       text collate "C" not null,
    project_id    text collate "C" not null,
    person_id     text collate "C" not null,
    role          evenhand.work_role not null,
    state         evenhand.assignment_state not null,
    leased_at     timestamptz not null,
    lease_until   timestamptz not null,
    lease_s       integer not null,
    version       integer not null,               -- of the project, when it was handed out
    shown_task    text collate "C",               -- of a gold task: the id that its annotator sees, which tells no age
    closed_at     timestamptz,
    closed_xid    xid8,                           -- in which transaction its work ended: the scheduler charges by it, once
    late          boolean not null default false,
    extra         boolean not null default false,
    paid_s        real not null default 0,
    key_mac       bytea,                          -- of the submission: a repeated one gets the first answer
    body          bytea not null,
    primary key (org_id, assignment_id),
    foreign key (org_id, task_id) references evenhand.task,
    check ((state = 'leased') = (closed_at is null) and (state <> 'submitted' or key_mac is not null)
           and (state not in ('submitted', 'skipped') or closed_xid is not null)
           and version >= 0 and paid_s >= 0)
) with (fillfactor = 80);
create unique index assignment_live on evenhand.assignment (org_id, person_id, task_id, role) where state = 'leased';
create index assignment_task on evenhand.assignment (org_id, task_id) where task_id is not null;
create index assignment_due on evenhand.assignment (org_id, lease_until) where state = 'leased' and lease_until is not null;
create index assignment_closed_xid on evenhand.assignment (closed_xid) where closed_xid is not null;
create table evenhand.draft (
    org_id        text collate "C" not null,
    assignment_id text collate "C" not null,
    version       integer not null,
    updated_at    timestamptz not null default now(),
    body          bytea not null,
    primary key (org_id, assignment_id),
    foreign key (org_id, assignment_id) references evenhand.assignment
);
create table evenhand.answer (
    org_id        text collate "C" not null,
    answer_id     text collate "C" not null,
    task_id       text collate "C" not null,
    project_id    text collate "C" not null,
    assignment_id text collate "C",
    person_id     text collate "C",
    origin        evenhand.answer_origin not null,
    state         evenhand.answer_state not null,
    late          boolean not null default false,
    seconds       real not null default 0,
    labels        integer not null default 0,
    classes       bigint[],                       -- blind index of the classes and choices in it
    created_at    timestamptz not null default now(),
    body          bytea not null,
    primary key (org_id, answer_id),
    foreign key (org_id, task_id) references evenhand.task
);
create index answer_task on evenhand.answer (org_id, task_id) include (person_id) where task_id is not null;
create index answer_project on evenhand.answer (org_id, project_id, answer_id) where project_id is not null;
create table evenhand.review (
    org_id        text collate "C" not null,
    review_id     text collate "C" not null,
    task_id       text collate "C" not null,
    project_id    text collate "C" not null,
    answer_id     text collate "C",
    assignment_id text collate "C",
    person_id     text collate "C",
    source        text not null check (source in ('reviewer', 'customer')),
    decision      text not null check (decision in ('accept', 'fix', 'reject')),
    seconds       real not null default 0,
    created_at    timestamptz not null default now(),
    body          bytea not null,
    primary key (org_id, review_id),
    foreign key (org_id, task_id) references evenhand.task
);
create index review_task on evenhand.review (org_id, task_id) where task_id is not null;
create index review_project on evenhand.review (org_id, project_id, review_id) where project_id is not null;
create table evenhand.question (
    org_id      text collate "C" not null,
    question_id text collate "C" not null,
    project_id  text collate "C" not null,
    task_id     text collate "C",
    person_id   text collate "C" not null,
    created_at  timestamptz not null default now(),
    answered_at timestamptz,
    body        bytea not null,
    primary key (org_id, question_id),
    foreign key (org_id, project_id) references evenhand.project
);
create index question_project on evenhand.question (org_id, project_id, question_id) where project_id is not null;
create table evenhand.notice (
    org_id     text collate "C" not null references evenhand.org,
    notice_id  text collate "C" not null,
    person_id  text collate "C" not null,
    project_id text collate "C",
    task_id    text collate "C",
    kind       text not null check (kind in ('rejected', 'late', 'answered', 'instructions')),
    created_at timestamptz not null default now(),
    body       bytea not null,
    primary key (org_id, notice_id)
);
create index notice_person on evenhand.notice (org_id, person_id, notice_id) where person_id is not null;
create table evenhand.import_chunk (
    org_id     text collate "C" not null,
    project_id text collate "C" not null,
    key_mac    bytea not null,                    -- of the customer's import key
    first_line bigint not null,
    created_at timestamptz not null default now(),
    body       bytea not null,                    -- what the first try answered
    primary key (org_id, project_id, key_mac, first_line),
    foreign key (org_id, project_id) references evenhand.project
);
create table evenhand.delivery (
    org_id      text collate "C" not null,
    delivery_id text collate "C" not null,
    project_id  text collate "C" not null,
    task_count  bigint not null,
    created_at  timestamptz not null default now(),
    body        bytea not null,
    primary key (org_id, delivery_id),
    foreign key (org_id, project_id) references evenhand.project
);
create table evenhand.callback (
    org_id      text collate "C" not null references evenhand.org,
    callback_id text collate "C" not null,
    task_id     text collate "C",
    batch_id    text collate "C",
    state       text not null check (state in ('waiting', 'done', 'failed')),
    created_at  timestamptz not null default now(),
    next_at     timestamptz,
    body        bytea not null,
    primary key (org_id, callback_id),
    check ((state = 'waiting') = (next_at is not null))
);
create index callback_task on evenhand.callback (org_id, task_id, callback_id) where task_id is not null;
create table evenhand.callback_try (
    org_id      text collate "C" not null,
    callback_id text collate "C" not null,
    try_no      integer not null,
    status      integer,
    created_at  timestamptz not null default now(),
    body        bytea not null,
    primary key (org_id, callback_id, try_no),
    foreign key (org_id, callback_id) references evenhand.callback
);
create table evenhand.worker_group (
    org_id     text collate "C" not null,
    group_id   text collate "C" not null,
    project_id text collate "C" not null,
    name_mac   bytea not null,
    created_at timestamptz not null default now(),
    body       bytea not null,
    primary key (org_id, group_id),
    unique (org_id, project_id, name_mac),
    foreign key (org_id, project_id) references evenhand.project
);
create table evenhand.setting (
    org_id text collate "C" not null references evenhand.org,
    name   text not null,
    body   bytea not null,
    primary key (org_id, name)
);
create table evenhand.idempotency (
    org_id       text collate "C" not null references evenhand.org,
    actor_id     text collate "C" not null,
    key_mac      bytea not null,
    request_mac  bytea not null,
    created_at   timestamptz not null default now(),
    body         bytea not null,                  -- status and reply
    primary key (org_id, actor_id, key_mac)
);
