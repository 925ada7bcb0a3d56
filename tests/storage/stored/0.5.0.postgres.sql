CREATE TABLE public.accounts (
    id bigint NOT NULL,
    uuid text NOT NULL,
    chat_id bigint NOT NULL,
    version bigint NOT NULL,
    target text NOT NULL,
    threshold text NOT NULL,
    threshold_unit character varying(24) NOT NULL,
    interval_s bigint NOT NULL,
    symbol text NOT NULL,
    counting character varying(24) NOT NULL,
    dry_run boolean NOT NULL,
    paused boolean NOT NULL,
    sealed_key text,
    key_tail text,
    key_print text,
    created_at bigint NOT NULL,
    halted boolean DEFAULT false NOT NULL,
    limit_order text,
    limit_day text,
    limit_orders bigint,
    limit_move text,
    autonomy character varying(24) DEFAULT 'auto'::character varying NOT NULL,
    not_before bigint,
    key_expires_at bigint,
    key_checked_at bigint,
    key_told_days bigint,
    topic_id bigint,
    all_may_look boolean DEFAULT false NOT NULL
);
CREATE SEQUENCE public.accounts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.accounts_id_seq OWNED BY public.accounts.id;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.alert_settings (
    account_id bigint NOT NULL,
    levels text NOT NULL,
    smallest text NOT NULL,
    time_zone text NOT NULL,
    quiet_from bigint,
    quiet_until bigint,
    errors_break_through boolean DEFAULT true NOT NULL,
    ask_deposits boolean DEFAULT true NOT NULL,
    digest_minute bigint,
    digest_due bigint,
    digest_at bigint,
    digest_quote text
);
CREATE TABLE public.audit (
    id bigint NOT NULL,
    at bigint NOT NULL,
    chat_id bigint NOT NULL,
    user_id bigint NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL
);
CREATE SEQUENCE public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_id_seq OWNED BY public.audit.id;
CREATE TABLE public.balances (
    account_id bigint NOT NULL,
    dry_run boolean NOT NULL,
    asset text NOT NULL,
    amount text NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.cards (
    chat_id bigint NOT NULL,
    message_id bigint NOT NULL,
    pinned boolean NOT NULL,
    shown text NOT NULL,
    next_edit_at bigint NOT NULL
);
CREATE TABLE public.confirmations (
    id text NOT NULL,
    chat_id bigint NOT NULL,
    user_id bigint NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    message_id bigint
);
CREATE TABLE public.decisions (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    at bigint NOT NULL,
    payload text NOT NULL
);
CREATE SEQUENCE public.decisions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.decisions_id_seq OWNED BY public.decisions.id;
CREATE TABLE public.dialogs (
    chat_id bigint NOT NULL,
    user_id bigint NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.exchange_accounts (
    key_print text NOT NULL,
    account_print text NOT NULL,
    connected_at bigint NOT NULL
);
CREATE TABLE public.inbox (
    bot_id bigint NOT NULL,
    update_id bigint NOT NULL,
    id bigint NOT NULL,
    chat_id bigint NOT NULL,
    payload text NOT NULL,
    created_at bigint NOT NULL,
    not_before bigint NOT NULL,
    claimed_until bigint,
    attempts bigint NOT NULL,
    done_at bigint,
    failure text,
    rank bigint DEFAULT 10 NOT NULL,
    deaths bigint DEFAULT 0 NOT NULL,
    claimed_by text
);
CREATE SEQUENCE public.inbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.inbox_id_seq OWNED BY public.inbox.id;
CREATE TABLE public.invitations (
    code_hash text NOT NULL,
    chat_id bigint NOT NULL,
    role character varying(24) NOT NULL,
    invited_by bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_by bigint,
    used_at bigint
);
CREATE TABLE public.leases (
    account_id bigint NOT NULL,
    owner text,
    fence bigint NOT NULL,
    lease_until bigint NOT NULL,
    woken boolean NOT NULL
);
CREATE TABLE public.looks (
    account_id bigint NOT NULL,
    at bigint NOT NULL,
    payload text NOT NULL
);
CREATE TABLE public.low_marks (
    account_id bigint NOT NULL,
    asset text NOT NULL,
    below text NOT NULL,
    told boolean NOT NULL
);
CREATE TABLE public.members (
    chat_id bigint NOT NULL,
    user_id bigint NOT NULL,
    is_owner boolean NOT NULL,
    created_at bigint NOT NULL,
    role character varying(24) DEFAULT 'trader'::character varying NOT NULL,
    name text DEFAULT ''::text NOT NULL
);
CREATE TABLE public.movements (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    at bigint NOT NULL,
    dry_run boolean NOT NULL,
    asset text NOT NULL,
    before text NOT NULL,
    after text NOT NULL
);
CREATE SEQUENCE public.movements_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.movements_id_seq OWNED BY public.movements.id;
CREATE TABLE public.notes (
    name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.orders (
    id bigint NOT NULL,
    client_order_id text NOT NULL,
    account_id bigint NOT NULL,
    run_id text NOT NULL,
    attempt bigint NOT NULL,
    symbol text NOT NULL,
    side character varying(24) NOT NULL,
    quote_amount text,
    base_quantity text,
    expected_quote text NOT NULL,
    dry_run boolean NOT NULL,
    trigger character varying(24) NOT NULL,
    fence bigint NOT NULL,
    target text NOT NULL,
    quote_before text NOT NULL,
    base_before text NOT NULL,
    created_at bigint NOT NULL,
    state character varying(24) NOT NULL,
    sent_at bigint,
    exchange_order_id text,
    executed_base text NOT NULL,
    executed_quote text NOT NULL,
    fees text,
    quote_after text,
    base_after text,
    resolved_at bigint,
    misses bigint NOT NULL,
    missed_at bigint,
    error text,
    worth_cents bigint DEFAULT 0 NOT NULL,
    price text,
    move_bp bigint DEFAULT 0 NOT NULL,
    fees_complete boolean DEFAULT true NOT NULL
);
CREATE SEQUENCE public.orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.orders_id_seq OWNED BY public.orders.id;
CREATE TABLE public.outbox (
    kind text NOT NULL,
    dedupe_key text NOT NULL,
    message_id bigint,
    id bigint NOT NULL,
    chat_id bigint NOT NULL,
    payload text NOT NULL,
    created_at bigint NOT NULL,
    not_before bigint NOT NULL,
    claimed_until bigint,
    attempts bigint NOT NULL,
    done_at bigint,
    failure text,
    topic_id bigint,
    rank bigint DEFAULT 10 NOT NULL,
    deaths bigint DEFAULT 0 NOT NULL,
    claimed_by text
);
CREATE SEQUENCE public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.outbox_id_seq OWNED BY public.outbox.id;
CREATE TABLE public.paper_balances (
    account_id bigint NOT NULL,
    asset text NOT NULL,
    free text NOT NULL,
    locked text NOT NULL
);
CREATE TABLE public.paper_orders (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    client_order_id text NOT NULL,
    symbol text NOT NULL,
    side character varying(24) NOT NULL,
    executed_base text NOT NULL,
    executed_quote text NOT NULL,
    fee_quote text NOT NULL,
    complete boolean NOT NULL,
    created_at bigint NOT NULL
);
CREATE SEQUENCE public.paper_orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.paper_orders_id_seq OWNED BY public.paper_orders.id;
CREATE TABLE public.posts (
    name text NOT NULL,
    owner text NOT NULL,
    held_until bigint NOT NULL
);
CREATE TABLE public.processes (
    owner text NOT NULL,
    alive_until bigint NOT NULL,
    session text
);
CREATE TABLE public.requests (
    account_id bigint NOT NULL,
    confirmation_id text NOT NULL,
    side character varying(24) NOT NULL,
    expected_quote text NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.strangers (
    user_id bigint NOT NULL,
    refused_at bigint NOT NULL
);
CREATE TABLE public.troubles (
    account_id bigint NOT NULL,
    kind character varying(24) NOT NULL,
    detail text NOT NULL,
    since bigint NOT NULL,
    last_at bigint NOT NULL,
    count bigint NOT NULL,
    told bigint NOT NULL,
    told_kinds text NOT NULL,
    kinds text DEFAULT ''::text NOT NULL
);
ALTER TABLE ONLY public.accounts ALTER COLUMN id SET DEFAULT nextval('public.accounts_id_seq'::regclass);
ALTER TABLE ONLY public.audit ALTER COLUMN id SET DEFAULT nextval('public.audit_id_seq'::regclass);
ALTER TABLE ONLY public.decisions ALTER COLUMN id SET DEFAULT nextval('public.decisions_id_seq'::regclass);
ALTER TABLE ONLY public.inbox ALTER COLUMN id SET DEFAULT nextval('public.inbox_id_seq'::regclass);
ALTER TABLE ONLY public.movements ALTER COLUMN id SET DEFAULT nextval('public.movements_id_seq'::regclass);
ALTER TABLE ONLY public.orders ALTER COLUMN id SET DEFAULT nextval('public.orders_id_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN id SET DEFAULT nextval('public.outbox_id_seq'::regclass);
ALTER TABLE ONLY public.paper_orders ALTER COLUMN id SET DEFAULT nextval('public.paper_orders_id_seq'::regclass);
INSERT INTO public.accounts (id, uuid, chat_id, version, target, threshold, threshold_unit, interval_s, symbol, counting, dry_run, paused, sealed_key, key_tail, key_print, created_at, halted, limit_order, limit_day, limit_orders, limit_move, autonomy, not_before, key_expires_at, key_checked_at, key_told_days, topic_id, all_may_look) VALUES (4, '5c13d24a8d494807a4f06048a37b4fca', 1004, 1, '40', '0.05', 'fraction', 120, 'MNTLUSDT', 'held', false, false, NULL, NULL, NULL, 1795348800000, false, NULL, NULL, NULL, NULL, 'auto', NULL, NULL, NULL, NULL, NULL, false);
INSERT INTO public.accounts (id, uuid, chat_id, version, target, threshold, threshold_unit, interval_s, symbol, counting, dry_run, paused, sealed_key, key_tail, key_print, created_at, halted, limit_order, limit_day, limit_orders, limit_move, autonomy, not_before, key_expires_at, key_checked_at, key_told_days, topic_id, all_may_look) VALUES (5, '3864fc93cec24de4a027b2b4cee2a3d6', 1005, 1, '40', '0.05', 'fraction', 120, 'MNTLUSDT', 'held', false, false, NULL, NULL, NULL, 1795348800000, false, NULL, NULL, NULL, NULL, 'auto', NULL, NULL, NULL, NULL, NULL, false);
INSERT INTO public.accounts (id, uuid, chat_id, version, target, threshold, threshold_unit, interval_s, symbol, counting, dry_run, paused, sealed_key, key_tail, key_print, created_at, halted, limit_order, limit_day, limit_orders, limit_move, autonomy, not_before, key_expires_at, key_checked_at, key_told_days, topic_id, all_may_look) VALUES (1, 'ad547b1b68df449d99915f10a9683a0f', 1001, 4, '40', '0.05', 'fraction', 120, 'MNTLUSDT', 'held', false, false, 'gAAAAABrDOu6j0ZPrE7p_rmfJzTDHLb04SN0JFe_2LHwEBV7t_h5a8qK09saRwJ-10NmYt3NLExDU7pCMYPrhFqBpuLGrYF7Ruw9KX8ZwisdXz7JO1EWVUaEv1DUcdIVUWT4LyQIMRW7hVhKqtRbhViLHYlMkkT7QYPB9gZNzmEQcTTj1cNd3jK97D2-DWPKZdoyPyw8hq9I4QeFEyFHnSbz9AQuiqOnCr2T8daKYO_Fe3D2j17R0r8klEGmhkKBLigukcCgMzoOD0gkCqEZ7f45xW4hJejAyA==', 'BWC5', 'print-of-the-key', 1795348800000, false, '90.5', '300', 7, '0.15', 'auto', NULL, 1795352400000, 1795348800000, 7, NULL, false);
INSERT INTO public.accounts (id, uuid, chat_id, version, target, threshold, threshold_unit, interval_s, symbol, counting, dry_run, paused, sealed_key, key_tail, key_print, created_at, halted, limit_order, limit_day, limit_orders, limit_move, autonomy, not_before, key_expires_at, key_checked_at, key_told_days, topic_id, all_may_look) VALUES (2, '8e1beb23a1ad41cba8e4e33ce45e6be5', -1001234567890, 1, '1234.56', '7.5', 'quote', 7200, 'MXUSDT', 'free', true, true, NULL, NULL, NULL, 1795348800000, false, NULL, NULL, NULL, NULL, 'ask', 1795352400000, NULL, NULL, NULL, 77, true);
INSERT INTO public.accounts (id, uuid, chat_id, version, target, threshold, threshold_unit, interval_s, symbol, counting, dry_run, paused, sealed_key, key_tail, key_print, created_at, halted, limit_order, limit_day, limit_orders, limit_move, autonomy, not_before, key_expires_at, key_checked_at, key_told_days, topic_id, all_may_look) VALUES (3, '68fe9d31ad774ebbbd761e197551b633', 1003, 1, '40', '0.05', 'fraction', 120, 'MNTLUSDT', 'held', false, false, NULL, NULL, NULL, 1795348800000, true, NULL, NULL, NULL, NULL, 'auto', NULL, NULL, NULL, NULL, NULL, false);
INSERT INTO public.alembic_version (version_num) VALUES ('0010');
INSERT INTO public.alert_settings (account_id, levels, smallest, time_zone, quiet_from, quiet_until, errors_break_through, ask_deposits, digest_minute, digest_due, digest_at, digest_quote) VALUES (1, '{"trade": "silent", "digest": "on", "key": "off"}', '2.5', 'Europe/Berlin', 1320, 420, false, false, 480, 1795417200000, 1795348800000, '57.1');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (1, 1795348800000, 1001, 1001, 'settings', 'target', '1234.56 USDT -> 40 USDT');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (2, 1795348800000, 1001, 1001, 'settings', 'threshold', '7.5 USDT -> 5%');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (3, 1795348800000, 1001, 1001, 'settings', 'interval', '7200 s -> 120 s');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (4, 1795348800000, 1001, 1001, 'settings', 'pair', 'MXUSDT -> MNTLUSDT');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (5, 1795348800000, 1001, 1001, 'settings', 'count', 'free -> held');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (6, 1795348800000, 1001, 1001, 'settings', 'mode', 'ask -> auto');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (7, 1795348800000, 1001, 1001, 'settings', 'dry run', 'on -> off');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (8, 1795348800000, 1001, 1001, 'trading', 'trading', 'paused -> on');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (9, 1795348800000, 1001, 1001, 'key', 'key', 'none -> …BWC5');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (10, 1795348800000, 1001, 1001, 'limits', 'order', 'auto -> 90.5 USDT');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (11, 1795348800000, 1001, 1001, 'limits', 'day', 'auto -> 300 USDT');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (12, 1795348800000, 1001, 1001, 'limits', 'orders an hour', 'auto -> 7');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (13, 1795348800000, 1001, 1001, 'limits', 'price', 'auto -> 15%');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (14, 1795352400000, 1001, 1001, 'halt', 'all accounts', '1 account');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (15, 1795352400000, 1001, 1001, 'lift the halt', 'all accounts', '1 account');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (16, 1795352400000, 1001, 1001, 'pair', 'the bot', 'by the code');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (17, 1795352400000, 1001, 1001, 'invite', 'viewer', 'until 12:00');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (18, 1795352400000, 1001, 1001, 'join', 'this chat', 'none -> viewer');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (19, 1795352400000, 1001, 1001, 'role', '2002 Ann', 'viewer -> trader');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (20, 1795352400000, 1001, 1001, 'look', 'looking', 'members -> everybody');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (21, 1795352400000, 1001, 1001, 'topic', 'alerts', 'general -> 77');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (22, 1795352400000, 1001, 1001, 'order_claimed', 'blunknown', 'it was filled; left to it');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (23, 1795352400000, 1001, 1001, 'order_set_aside', 'blset_aside', 'nothing');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (24, 1795352400000, 1001, 1001, 'trade', 'uuid', 'SELL 17.5');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (25, 1795352400000, 1001, 1001, 'mode', 'uuid', 'auto -> ask');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (26, 1795352400000, 1001, 1001, 'offer', 'uuid', 'skipped');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (27, 1795352400000, 1001, 1001, 'alerts', 'uuid', 'trade: on -> silent');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (28, 1795352400000, 1001, 1001, 'warn', 'MX', 'none -> 0.5');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (29, 1795352400000, 1001, 1001, 'real money', 'uuid', 'by a tap');
INSERT INTO public.audit (id, at, chat_id, user_id, action, subject, detail) VALUES (30, 1795352400000, 1001, 1001, 'undo', 'uuid', 'target 60 -> 40');
INSERT INTO public.balances (account_id, dry_run, asset, amount, at) VALUES (1, false, 'USDT', '57.1', 1795348800000);
INSERT INTO public.balances (account_id, dry_run, asset, amount, at) VALUES (1, false, 'MNTL', '91858', 1795348800000);
INSERT INTO public.cards (chat_id, message_id, pinned, shown, next_edit_at) VALUES (1001, 41, true, 'g1 w1 {"at":"2026-11-22T12:00:00+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"InsideBand"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}', 1795352400000);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('rebalance-1', 1001, 1001, 'rebalance', '{"side":"SELL","expected_quote":"17.5","version":3}', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('offer-1', -1001234567890, 0, 'offer', '{"side":"SELL","expected_quote":"17.5","version":3}', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('go_live-1', 1001, 1001, 'go_live', '{"wanted":{"target":"60.01","threshold":{"value":"0.07","unit":"fraction"},"interval_s":300,"symbol":"MXUSDT","counting":"free","autonomy":"notify","dry_run":false,"limits":{"order":"90.5","day":"300","orders_per_hour":7,"move":"0.15"}},"found":{"target":"40","threshold":null,"interval_s":null,"symbol":null,"counting":null,"autonomy":null,"dry_run":null,"limits":null},"version":3,"side":"BUY","expected_quote":"20.01","in_panel":true}', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('undo-1', 1001, 1001, 'undo', '{"wanted":{"target":"60.01","threshold":{"value":"0.07","unit":"fraction"},"interval_s":300,"symbol":"MXUSDT","counting":"free","autonomy":"notify","dry_run":false,"limits":{"order":"90.5","day":"300","orders_per_hour":7,"move":"0.15"}},"found":{"target":"40","threshold":null,"interval_s":null,"symbol":null,"counting":null,"autonomy":null,"dry_run":null,"limits":null},"version":3,"side":"BUY","expected_quote":"20.01","in_panel":true}', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('big_target-1', 1001, 1001, 'big_target', '{"wanted":{"target":"60.01","threshold":{"value":"0.07","unit":"fraction"},"interval_s":300,"symbol":"MXUSDT","counting":"free","autonomy":"notify","dry_run":false,"limits":{"order":"90.5","day":"300","orders_per_hour":7,"move":"0.15"}},"found":{"target":"40","threshold":null,"interval_s":null,"symbol":null,"counting":null,"autonomy":null,"dry_run":null,"limits":null},"version":3,"side":"BUY","expected_quote":"20.01","in_panel":true}', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('keep_deposit-1', 1001, 1001, 'keep_deposit', '{"wanted":{"target":"60.01","threshold":{"value":"0.07","unit":"fraction"},"interval_s":300,"symbol":"MXUSDT","counting":"free","autonomy":"notify","dry_run":false,"limits":{"order":"90.5","day":"300","orders_per_hour":7,"move":"0.15"}},"found":{"target":"40","threshold":null,"interval_s":null,"symbol":null,"counting":null,"autonomy":null,"dry_run":null,"limits":null},"version":3,"side":"BUY","expected_quote":"20.01","in_panel":true}', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('choice-1', 1001, 1001, 'choice', '["settarget","40","400"]', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('members-1', 1001, 1001, 'members', '{"page":1,"user_ids":[1001,2002],"has_pages":true,"has_more":false,"all_may_look":true,"is_private":false}', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('member-1', 1001, 1001, 'member', '{"user_id":2002,"name":"Ann","role":"trader","options":["viewer","owner","remove","back"]}', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('member_role-1', 1001, 1001, 'member_role', '{"user_id":2002,"name":"Ann","expected":"trader","wanted":"owner"}', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('all_may_look-1', 1001, 1001, 'all_may_look', 'true', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('set_aside-1', 1001, 1001, 'set_aside', 'blneeds_human', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('disconnect-1', 1001, 1001, 'disconnect', 'BWC5', 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.confirmations (id, chat_id, user_id, kind, payload, created_at, expires_at, used_at, message_id) VALUES ('lift_halt-1', 1001, 1001, 'lift_halt', '{"at":"2026-11-22T12:00:00+00:00","user_id":1001}', 1795348800000, 1795352400000, 1795348800000, 31);
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (1, 1, 1795348800000, '{"at":"2026-11-22T12:00:00+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"InsideBand"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (2, 1, 1795348801000, '{"at":"2026-11-22T12:00:01+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"PairClosed"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (3, 1, 1795348802000, '{"at":"2026-11-22T12:00:02+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"SideClosed","side":"SELL"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (4, 1, 1795348803000, '{"at":"2026-11-22T12:00:03+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"EmptyBook","side":"BUY"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (5, 1, 1795348804000, '{"at":"2026-11-22T12:00:04+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"NothingFree","side":"SELL","free":"0.5","locked":"9"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (6, 1, 1795348805000, '{"at":"2026-11-22T12:00:05+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"UnderMinimum","side":"BUY","quote_amount":"0.4","minimum":"1.1"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (7, 1, 1795348806000, '{"at":"2026-11-22T12:00:06+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"StepTooCoarse","step_value":"5.2","shortfall":"3.1"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (8, 1, 1795348807000, '{"at":"2026-11-22T12:00:07+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"OverLimit","kind":"order","asked":"95","allowed":"90.5","used":"4"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (9, 1, 1795348808000, '{"at":"2026-11-22T12:00:08+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"OverLimit","kind":"day","asked":"95","allowed":"90.5","used":"4"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (10, 1, 1795348809000, '{"at":"2026-11-22T12:00:09+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"OverLimit","kind":"hour","asked":"95","allowed":"90.5","used":"4"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (11, 1, 1795348810000, '{"at":"2026-11-22T12:00:10+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"OverLimit","kind":"jump","asked":"95","allowed":"90.5","used":"4"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (12, 1, 1795348811000, '{"at":"2026-11-22T12:00:11+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"OverLimit","kind":"slip","asked":"95","allowed":"90.5","used":"4"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (13, 1, 1795348812000, '{"at":"2026-11-22T12:00:12+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"LeftToPerson","side":"BUY","expected_quote":"17.2","autonomy":"notify"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (14, 1, 1795348813000, '{"at":"2026-11-22T12:00:13+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"MovedAway","side":"SELL","expected_quote":"17.3"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (15, 1, 1795348814000, '{"at":"2026-11-22T12:00:14+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Waiting","client_order_id":"blunknown"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (16, 1, 1795348815000, '{"at":"2026-11-22T12:00:15+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Unsettled"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (17, 1, 1795348816000, '{"at":"2026-11-22T12:00:16+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Failed","kind":"clock","detail":"700003: outside the window"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.decisions (id, account_id, at, payload) VALUES (18, 1, 1795348817000, '{"at":"2026-11-22T12:00:17+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Ordered","client_order_id":"blfilled","side":"SELL","expected_quote":"17.11"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.dialogs (chat_id, user_id, kind, payload, expires_at) VALUES (1001, 1001, 'connect:key', 'gAAAAABrDOu75dlI20YWfnHPJkkGFbXqsLcdP9bPM2zRRnwd63BsjnKDz9T6hygKtHrH6xhcSU1U90VO4cQe3IsSern_I0VZm1U6QaEE7pGZVKiKB_rt15xsnchAJ_WZfQflYGeQhuCLY2ILGWxr4Sy6B88pcUpF2A==', 1795352400000);
INSERT INTO public.dialogs (chat_id, user_id, kind, payload, expires_at) VALUES (1001, 2002, 'connect:secret', 'gAAAAABrDOu7kpDLsygl8KwtIc1_FLifftuf_GWPgy7eMo8ZwBt1lyawl35S_3m-T7_kc5y-DmcaiWVnYfBnTMkFQtWEefj-I7lb5LsrIPb5VUq30JeBG6FxjWkAsryN8f91G3Y8J7XT1fL-1CvpaBtA3tmBxw42_XM6SB9J7TcpIzKOnKZ2WGE=', 1795352400000);
INSERT INTO public.dialogs (chat_id, user_id, kind, payload, expires_at) VALUES (1001, 3003, 'value:settarget', 'gAAAAABrDOu7OVLq0__kc_kYxtXF_htZHcW9LUU3saXJY3cpZSg8GWJFLiV247zA69NBo-4RFBNFbe-SXiuYQh-GhpuS78DN6cKNdCdb_MFUW794xtIcg9xwCptc3lwiR7OwiXZJFdBoiT5sArfJau8oFombmN-mlQ==', 1795352400000);
INSERT INTO public.exchange_accounts (key_print, account_print, connected_at) VALUES ('print-of-the-key', 'print-of-the-account', 1795348800000);
INSERT INTO public.inbox (bot_id, update_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, rank, deaths, claimed_by) VALUES (123456789, 502, 2, 1001, 'gAAAAABrDOu7mQ2yJFtq2LG7gd_zm7N4xKpxltnvfa9efSmmKGUOTDuEYndILuo_2pmrQgTcV7E0OI_ZlIrTeRKrN8WwPf1qKWZ1iB_m_pNQKu8vdD3FyCCrAT-ltFNCIrNP9Old43r33cMq7sYa0EU9LfFiJ0DrQI-MbFaRRG2BJiF8oX1HINRF-jknGPM2pVT8Rx5bv-ksUjiqavM9uK_oviJLSvtRA6lt9W3v7YiJ-UCgiEiPHWhCxsfBeoGfHg9ocdHCQ7Su', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, 20, 0, NULL);
INSERT INTO public.inbox (bot_id, update_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, rank, deaths, claimed_by) VALUES (123456789, 503, 3, 1001, '', 1795348800000, 1795348800000, NULL, 1, 1795348800000, 'ValueError', 0, 0, NULL);
INSERT INTO public.inbox (bot_id, update_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, rank, deaths, claimed_by) VALUES (123456789, 501, 1, 1001, 'gAAAAABrDOu7aGlhW1M8R-XonDyo03R5425eeh-QJRFF7YNsFEx0Bq2Tm9P6tT-sleGKjiTnHJQmHGE5Tpsf1_ugEoerswaCgYik6gUcIRjfs2S8Pfof7F-OjxBevaj7ekCdjjBijEVJ0st12jh_Nxtwl0UiN7OWg1bOgkslA1Yvxg4wvuW7pkcMXuvFwQn1LhYIBBKwyQfqPtXsP5N-e3S0RxJlqUVvoFoIbi-alJbdHgbSgkQdVkS8-5x5dC-tHgU1Wz8MHSZv', 1795348800000, 1795348800000, 1795348860000, 1, NULL, NULL, 10, 0, 'worker-1');
INSERT INTO public.invitations (code_hash, chat_id, role, invited_by, created_at, expires_at, used_by, used_at) VALUES ('hash-1', -1001234567890, 'viewer', 1001, 1795348800000, 1795352400000, NULL, NULL);
INSERT INTO public.invitations (code_hash, chat_id, role, invited_by, created_at, expires_at, used_by, used_at) VALUES ('hash-2', -1001234567890, 'viewer', 1001, 1795348800000, 1795352400000, 2002, 1795348800000);
INSERT INTO public.leases (account_id, owner, fence, lease_until, woken) VALUES (4, NULL, 0, 0, false);
INSERT INTO public.leases (account_id, owner, fence, lease_until, woken) VALUES (5, NULL, 0, 0, false);
INSERT INTO public.leases (account_id, owner, fence, lease_until, woken) VALUES (1, 'worker-1', 1, 1795348860000, false);
INSERT INTO public.leases (account_id, owner, fence, lease_until, woken) VALUES (3, 'worker-1', 1, 1795348860000, false);
INSERT INTO public.leases (account_id, owner, fence, lease_until, woken) VALUES (2, 'worker-1', 1, 1795348860000, true);
INSERT INTO public.looks (account_id, at, payload) VALUES (1, 1795348817000, '{"at":"2026-11-22T12:00:17+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Ordered","client_order_id":"blfilled","side":"SELL","expected_quote":"17.11"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.low_marks (account_id, asset, below, told) VALUES (1, 'MX', '0.5', true);
INSERT INTO public.low_marks (account_id, asset, below, told) VALUES (1, 'USDT', '20', false);
INSERT INTO public.members (chat_id, user_id, is_owner, created_at, role, name) VALUES (1001, 1001, true, 1795348800000, 'owner', 'Zoë 🟢');
INSERT INTO public.members (chat_id, user_id, is_owner, created_at, role, name) VALUES (-1001234567890, 2002, false, 1795352400000, 'trader', 'Ann');
INSERT INTO public.members (chat_id, user_id, is_owner, created_at, role, name) VALUES (-1001234567890, 3003, false, 1795352400000, 'viewer', 'Ann');
INSERT INTO public.movements (id, account_id, at, dry_run, asset, before, after) VALUES (1, 1, 1795348800000, false, 'USDT', '40', '140.25');
INSERT INTO public.movements (id, account_id, at, dry_run, asset, before, after) VALUES (2, 1, 1795352400000, true, 'MNTL', '9', '0');
INSERT INTO public.notes (name, value) VALUES ('oldest_code', '0003');
INSERT INTO public.notes (name, value) VALUES ('exchange_account:print-of-the-account', '');
INSERT INTO public.notes (name, value) VALUES ('seen:1', '{"at":"2026-11-22T12:00:00+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"InsideBand"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO public.notes (name, value) VALUES ('offer:2', '{"id":"offer-1","autonomy":"ask","symbol":"MNTLUSDT","dry_run":true,"side":"BUY","expected_quote":"17.4","version":3,"at":"2026-11-22T12:00:00+00:00","expires_at":"2026-11-22T13:00:00+00:00","since":"2026-11-22T12:00:00+00:00","standing":"skipped"}');
INSERT INTO public.notes (name, value) VALUES ('undeliverable:-1001234567890', '{"chat_id":-1001234567890,"since":"2026-11-20T12:00:00+00:00","last_at":"2026-11-22T12:00:00+00:00","problem":"chat not found","gone":true,"told":[1001]}');
INSERT INTO public.notes (name, value) VALUES ('paused_undeliverable:2', '');
INSERT INTO public.notes (name, value) VALUES ('moved_from:-1001234567890', '-55');
INSERT INTO public.notes (name, value) VALUES ('name:1001', 'Zoë');
INSERT INTO public.notes (name, value) VALUES ('said:welcome', '1795348800000');
INSERT INTO public.notes (name, value) VALUES ('pairing_code', 'hash-of-the-code');
INSERT INTO public.notes (name, value) VALUES ('pairing_tries', '5');
INSERT INTO public.notes (name, value) VALUES ('code_guesses:3003', '1 1795348800000');
INSERT INTO public.notes (name, value) VALUES ('halt', '{"at":"2026-11-22T12:00:00+00:00","user_id":1001}');
INSERT INTO public.notes (name, value) VALUES ('pruned', '001795348800000');
INSERT INTO public.notes (name, value) VALUES ('vault_canary', 'gAAAAABrDOu7xS46URmxPenkrGTESTj8ZMg-bH93QRc04u8u2O2WWDMUAjtIXuc7zIe_mfoD0SdhRZtQboIO0W7Ou0-pS7rlmPAM_WLS4IcMVwPuJwk5UqptzODFluweZtipwWI_Ly_G');
INSERT INTO public.notes (name, value) VALUES ('doctor:1', '2026-11-22T12:00:00+00:00');
INSERT INTO public.notes (name, value) VALUES ('key_powers:print-of-the-key', 'SPOT_WITHDRAW_WRITE');
INSERT INTO public.notes (name, value) VALUES ('moved:-55', '-1001234567890');
INSERT INTO public.notes (name, value) VALUES ('brought_forward', '0 0');
INSERT INTO public.notes (name, value) VALUES ('webhook_secret', 'gAAAAABrDOu7vvFJHF3spEawdYFXLhwjWV21dZmi24szzc3VF_KPskTOlokPznP32HBbwUAT5AT_gKdeCjI_4eg58rrFnXLt3QqZ1KlZfUynYCx8czaH0MixMjQtQSUDY5lXxd_kx8XgNnqEBOtFMhgF5Jif8Qm1oP4xttYPSgtmFpj4ZulSLQvX1rI-9qaKrMIwDBgoqZJDFri2pKBRsDRy2RdzpF3RyZcqXKF1SCRL90TA_0UsjJg=');
INSERT INTO public.notes (name, value) VALUES ('silence:direct', '1795348800000 1795359600000');
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (1, 'blplanned', 1, 'run-0', 1, 'MNTLUSDT', 'BUY', '17.1', NULL, '17.1', false, 'person', 0, '40', '57.1', '100000', 1795348800000, 'planned', NULL, NULL, '0', '0', NULL, NULL, NULL, NULL, 0, NULL, NULL, 1710, '0.002', 0, true);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (2, 'blfilled', 1, 'run-1', 2, 'MNTLUSDT', 'SELL', NULL, '8001', '17.11', false, 'interval', 1, '40', '57.1', '100000', 1795348801000, 'filled', 1795348801000, 'C02__1', '8101', '16.31', '{"USDT": "0.008150142", "MX": "0.0001"}', '40.79', '108142', 1795348802000, 0, NULL, NULL, 1711, '0.002', 1, true);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (3, 'blpartial', 1, 'run-2', 3, 'MNTLUSDT', 'BUY', '17.12', NULL, '17.12', false, 'interval', 2, '40', '57.1', '100000', 1795348802000, 'partial', 1795348802000, 'C02__2', '8102', '16.32', '{"USDT": "0.008150142", "MX": "0.0001"}', '40.79', '108142', 1795348803000, 0, NULL, NULL, 1712, '0.002', 2, false);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (4, 'blunfilled', 1, 'run-3', 1, 'MNTLUSDT', 'SELL', NULL, '8003', '17.13', false, 'person', 3, '40', '57.1', '100000', 1795348803000, 'unfilled', 1795348803000, NULL, '0', '0', NULL, NULL, NULL, NULL, 0, NULL, NULL, 1713, '0.002', 3, true);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (5, 'blrejected', 1, 'run-4', 2, 'MNTLUSDT', 'BUY', '17.14', NULL, '17.14', false, 'interval', 4, '40', '57.1', '100000', 1795348804000, 'rejected', 1795348804000, NULL, '0', '0', NULL, NULL, NULL, NULL, 0, NULL, '30004: no', 1714, '0.002', 4, true);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (6, 'blnot_executed', 1, 'run-5', 3, 'MNTLUSDT', 'SELL', NULL, '8005', '17.15', true, 'interval', 5, '40', '57.1', '100000', 1795348805000, 'not_executed', 1795348805000, NULL, '0', '0', NULL, NULL, NULL, NULL, 0, NULL, NULL, 1715, '0.002', 5, true);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (7, 'blset_aside', 1, 'run-6', 1, 'MNTLUSDT', 'BUY', '17.16', NULL, '17.16', false, 'person', 6, '40', '57.1', '100000', 1795348806000, 'set_aside', 1795348806000, NULL, '0', '0', NULL, NULL, NULL, NULL, 0, NULL, NULL, 1716, '0.002', 6, true);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (8, 'bldropped', 1, 'run-7', 2, 'MNTLUSDT', 'SELL', NULL, '8007', '17.17', false, 'interval', 7, '40', '57.1', '100000', 1795348807000, 'dropped', 1795348807000, NULL, '0', '0', NULL, NULL, NULL, NULL, 0, NULL, NULL, 1717, '0.002', 7, true);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (9, 'blsending', 2, 'run-8', 3, 'MNTLUSDT', 'BUY', '17.18', NULL, '17.18', false, 'interval', 8, '40', '57.1', '100000', 1795348808000, 'sending', 1795348808000, NULL, '0', '0', NULL, NULL, NULL, NULL, 0, NULL, NULL, 1718, '0.002', 8, true);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (10, 'blacked', 3, 'run-9', 1, 'MNTLUSDT', 'SELL', NULL, '8009', '17.19', false, 'person', 9, '40', '57.1', '100000', 1795348809000, 'acked', 1795348809000, NULL, '0', '0', NULL, NULL, NULL, NULL, 0, NULL, NULL, 1719, '0.002', 9, true);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (11, 'blunknown', 4, 'run-10', 2, 'MNTLUSDT', 'BUY', '17.11', NULL, '17.11', false, 'interval', 10, '40', '57.1', '100000', 1795348810000, 'unknown', 1795348810000, NULL, '0', '0', NULL, NULL, NULL, NULL, 2, 1795348800000, NULL, 1711, '0.002', 10, true);
INSERT INTO public.orders (id, client_order_id, account_id, run_id, attempt, symbol, side, quote_amount, base_quantity, expected_quote, dry_run, trigger, fence, target, quote_before, base_before, created_at, state, sent_at, exchange_order_id, executed_base, executed_quote, fees, quote_after, base_after, resolved_at, misses, missed_at, error, worth_cents, price, move_bp, fees_complete) VALUES (12, 'blneeds_human', 5, 'run-11', 3, 'MNTLUSDT', 'SELL', NULL, '8011', '17.111', false, 'interval', 11, '40', '57.1', '100000', 1795348811000, 'needs_human', 1795348811000, NULL, '0', '0', NULL, NULL, NULL, NULL, 0, NULL, NULL, 1712, '0.002', 11, true);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('order_unclear', 'order:blunknown:unclear', NULL, 2, 1001, '{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","side":"SELL","expected_quote":"17.03"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('order_never_arrived', 'order:blnot_executed:never', NULL, 3, 1001, '{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","side":"SELL","expected_quote":"17.03"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('order_needs_person', 'order:blneeds_human:person', NULL, 4, 1001, '{"dry_run":false,"symbol":"MNTLUSDT","side":"SELL","expected_quote":"17.03","client_order_id":"blneeds_human","status":"PENDING_REVIEW","base_quantity":"11","quote_amount":"0.022"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('trouble_told', 'trouble:1:2026-11-20T12:00:00+00:00:blocked:4', NULL, 5, 1001, '{"dry_run":false,"paused":false,"halted":false,"kind":"blocked","detail":"NothingFree","count":4,"since":"2026-11-20T12:00:00+00:00","at":"2026-11-22T12:00:00+00:00","symbol":"MNTLUSDT","reason":{"_type":"NothingFree","side":"SELL","free":"0.5","locked":"9"}}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('trouble_over', 'over:1:2026-11-20T12:00:00+00:00', NULL, 6, 1001, '{"dry_run":true,"paused":false,"halted":false,"kind":"clock","count":6,"since":"2026-11-20T12:00:00+00:00","at":"2026-11-22T12:00:00+00:00"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('run_declined', 'run:lift_halt-1:declined', NULL, 7, 1001, '{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","held":"40.4","target":"40","reason":null,"new_side":"SELL","new_quote":"17.04"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('drift_noticed', 'offer:offer-0', NULL, 8, 1001, '{"dry_run":false,"symbol":"MNTLUSDT","side":"BUY","expected_quote":"17.01","expected_base":"8101","held":"57.01","target":"40","band":{"low":"38","high":"42"},"asked_quote":"17.02","held_after":"40.02","complete":false}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('plan_offered', 'offer:offer-1', NULL, 9, 1001, '{"confirmation_id":"offer-1","drift":{"dry_run":false,"symbol":"MNTLUSDT","side":"BUY","expected_quote":"17.01","expected_base":"8101","held":"57.01","target":"40","band":{"low":"38","high":"42"},"asked_quote":"17.02","held_after":"40.02","complete":false}}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('moved', 'moved:1:1', NULL, 10, 1001, '{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","moved":[{"at":"2026-11-22T12:00:00+00:00","dry_run":false,"asset":"USDT","before":"40","after":"140.25"},{"at":"2026-11-22T13:00:00+00:00","dry_run":true,"asset":"MNTL","before":"9","after":"0"}],"by_hand":false,"held":"140.25","target":"40","band":{"low":"38","high":"42"},"autonomy":"notify","last_for_now":true,"quantity_step":"0.01","question_id":"keep_deposit-1","new_target":"140.2"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('halted', 'halt:1:4', NULL, 11, 1001, '{"dry_run":false,"expected_quote":"17.05"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('halt_lifted', 'halt:1:5', NULL, 12, 1001, '{"dry_run":false,"paused":true}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('low_mark_reached', 'low:1:MX:1795348800000', NULL, 13, 1001, '{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","asset":"MX","below":"0.5","left":"0.25"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('low_mark_over', 'low:1:MX:1795348900000', NULL, 14, 1001, '{"dry_run":false,"paused":false,"halted":false,"asset":"MX","below":"0.5","left":"0.75"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('digest', 'digest:1:2026-11-22T07:00:00+00:00', NULL, 15, 1001, '{"dry_run":false,"paused":false,"halted":false,"since":"2026-11-20T12:00:00+00:00","at":"2026-11-22T12:00:00+00:00","target":"40","trades":3,"bought":"17.06","sold":"4.44","fees":{"MX":"0.001"},"small":1,"smallest":"2.5","held_before":"57.1","held":"40.79","troubles":2,"trouble":"rate_limited","key_expires_at":"2026-11-22T13:00:00+00:00","fees_complete":false}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('key_ending', 'key:1:2026-11-22:3', NULL, 16, 1001, '{"dry_run":false,"paused":false,"halted":false,"key_tail":"BWC5","days_left":3,"expires_at":"2026-11-22T13:00:00+00:00"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('key_too_powerful', 'powers:1:4:2026-11-22T12', NULL, 17, 1001, '{"dry_run":false,"paused":false,"halted":false,"key_tail":"BWC5","powers":"SPOT_WITHDRAW_WRITE"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('money_shared', 'shared:1:4', NULL, 18, 1001, '{"dry_run":false,"paused":false,"halted":false,"key_tail":"BWC5"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('member_joined', 'join:hash-2', NULL, 19, 1001, '{"user_id":2002,"name":"Ann <b>","role":"trader"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('chat_undeliverable', 'undeliverable:-1001234567890:2026-11-20T12:00:00+00:00:1001', NULL, 20, 1001, '{"dry_run":false,"chat_id":-1001234567890,"name":"Ann","since":"2026-11-20T12:00:00+00:00","problem":"chat not found","gone":true,"paused":true,"pauses_at":"2026-11-22T13:00:00+00:00"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('chat_deliverable', 'undeliverable:-1001234567890:2026-11-20T12:00:00+00:00:1001:over', NULL, 21, 1001, '{"dry_run":false,"chat_id":-1001234567890,"name":"Ann","since":"2026-11-20T12:00:00+00:00","at":"2026-11-22T12:00:00+00:00","problem":"chat not found","resumed":true,"paused":false,"here":true}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, NULL, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('trouble_over', 'over:2', NULL, 22, -1001234567890, '{"dry_run":true,"paused":true,"halted":false,"kind":"bad_data","count":5,"since":"2026-11-20T12:00:00+00:00","at":"2026-11-22T12:00:00+00:00"}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, 77, 10, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('answer', 'answer:2', NULL, 25, -1001234567890, '{"text": "<b>One</b> &amp; two", "keyboard": null}', 1795348800000, 1795348800000, NULL, 0, NULL, NULL, 77, 0, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('answer', 'answer:0', 51, 23, -1001234567890, '{"text": "<b>One</b> &amp; two", "keyboard": null}', 1795348800000, 1795348800000, NULL, 1, 1795348800000, NULL, 77, 0, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('answer', 'answer:1', NULL, 24, -1001234567890, '{"text": "<b>One</b> &amp; two", "keyboard": null}', 1795348800000, 1795352400000, NULL, 1, NULL, 'slowed down', 77, 0, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('answer', 'answer:off', NULL, 26, 1003, '{"text": "<b>One</b> &amp; two", "keyboard": null}', 1795348800000, 1795348800000, NULL, 1, 1795348800000, 'off', NULL, 0, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('answer', 'answer:Forbidden: blocked', NULL, 27, 1004, '{"text": "<b>One</b> &amp; two", "keyboard": null}', 1795348800000, 1795348800000, NULL, 1, 1795348800000, 'Forbidden: blocked', NULL, 0, 0, NULL);
INSERT INTO public.outbox (kind, dedupe_key, message_id, id, chat_id, payload, created_at, not_before, claimed_until, attempts, done_at, failure, topic_id, rank, deaths, claimed_by) VALUES ('trade_settled', 'order:blfilled:filled', NULL, 1, 1001, '{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","side":"BUY","trigger":"person","base_quantity":"8142","quote_amount":"16.31","asked_quote":"17.1","fees":{"USDT":"0.0081"},"quote_before":"57.1","quote_after":"40.79","target":"40","late":true,"fees_complete":false}', 1795348800000, 1795348800000, 1795348860000, 1, NULL, NULL, NULL, 10, 0, 'worker-1');
INSERT INTO public.paper_balances (account_id, asset, free, locked) VALUES (2, 'USDT', '39.5', '0.5');
INSERT INTO public.paper_balances (account_id, asset, free, locked) VALUES (2, 'MX', '12', '0');
INSERT INTO public.paper_orders (id, account_id, client_order_id, symbol, side, executed_base, executed_quote, fee_quote, complete, created_at) VALUES (1, 2, 'blpaper', 'MXUSDT', 'BUY', '6', '15.75', '0.007875', false, 1795348800000);
INSERT INTO public.posts (name, owner, held_until) VALUES ('poller', 'worker-1', 1795348860000);
INSERT INTO public.posts (name, owner, held_until) VALUES ('porter', 'worker-1', 1795348860000);
INSERT INTO public.processes (owner, alive_until, session) VALUES ('worker-1', 1795348860000, '11 22 33');
INSERT INTO public.processes (owner, alive_until, session) VALUES ('worker-0', 1795348740000, '');
INSERT INTO public.requests (account_id, confirmation_id, side, expected_quote, expires_at) VALUES (1, 'rebalance-1', 'SELL', '17.5', 1795352400000);
INSERT INTO public.strangers (user_id, refused_at) VALUES (3003, 1795348800000);
INSERT INTO public.troubles (account_id, kind, detail, since, last_at, count, told, told_kinds, kinds) VALUES (1, 'blocked', 'NothingFree', 1795176000000, 1795348800000, 9, 2, 'blocked,clock', 'unreachable=1@2026-11-20T12:00:00+00:00,rate_limited=2@2026-11-20T12:00:00+00:00,host_refused=3@2026-11-20T12:00:00+00:00,bad_data=4@2026-11-20T12:00:00+00:00,stale_balance=5@2026-11-20T12:00:00+00:00,clock=6@2026-11-20T12:00:00+00:00,key_refused=7@2026-11-20T12:00:00+00:00,address_refused=8@2026-11-20T12:00:00+00:00,missing_permission=9@2026-11-20T12:00:00+00:00,account_restricted=10@2026-11-20T12:00:00+00:00,key_unreadable=11@2026-11-20T12:00:00+00:00,pair_unavailable=12@2026-11-20T12:00:00+00:00,order_refused=13@2026-11-20T12:00:00+00:00,not_filled=14@2026-11-20T12:00:00+00:00,blocked=15@2026-11-20T12:00:00+00:00,bad_fill=16@2026-11-20T12:00:00+00:00,internal=17@2026-11-20T12:00:00+00:00');
INSERT INTO public.troubles (account_id, kind, detail, since, last_at, count, told, told_kinds, kinds) VALUES (2, 'unreachable', '', 1795176000000, 1795348800000, 1, 1, '', '');
INSERT INTO public.troubles (account_id, kind, detail, since, last_at, count, told, told_kinds, kinds) VALUES (3, 'rate_limited', '', 1795176000000, 1795348800000, 1, 1, '', '');
INSERT INTO public.troubles (account_id, kind, detail, since, last_at, count, told, told_kinds, kinds) VALUES (4, 'host_refused', '', 1795176000000, 1795348800000, 1, 1, '', '');
INSERT INTO public.troubles (account_id, kind, detail, since, last_at, count, told, told_kinds, kinds) VALUES (5, 'bad_data', '', 1795176000000, 1795348800000, 1, 1, '', '');
SELECT pg_catalog.setval('public.accounts_id_seq', 5, true);
SELECT pg_catalog.setval('public.audit_id_seq', 30, true);
SELECT pg_catalog.setval('public.decisions_id_seq', 18, true);
SELECT pg_catalog.setval('public.inbox_id_seq', 3, true);
SELECT pg_catalog.setval('public.movements_id_seq', 2, true);
SELECT pg_catalog.setval('public.orders_id_seq', 12, true);
SELECT pg_catalog.setval('public.outbox_id_seq', 27, true);
SELECT pg_catalog.setval('public.paper_orders_id_seq', 1, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT pk_accounts PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_settings
    ADD CONSTRAINT pk_alert_settings PRIMARY KEY (account_id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (id);
ALTER TABLE ONLY public.balances
    ADD CONSTRAINT pk_balances PRIMARY KEY (account_id, dry_run, asset);
ALTER TABLE ONLY public.cards
    ADD CONSTRAINT pk_cards PRIMARY KEY (chat_id);
ALTER TABLE ONLY public.confirmations
    ADD CONSTRAINT pk_confirmations PRIMARY KEY (id);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT pk_decisions PRIMARY KEY (id);
ALTER TABLE ONLY public.dialogs
    ADD CONSTRAINT pk_dialogs PRIMARY KEY (chat_id, user_id);
ALTER TABLE ONLY public.exchange_accounts
    ADD CONSTRAINT pk_exchange_accounts PRIMARY KEY (key_print);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT pk_inbox PRIMARY KEY (id);
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT pk_invitations PRIMARY KEY (code_hash);
ALTER TABLE ONLY public.leases
    ADD CONSTRAINT pk_leases PRIMARY KEY (account_id);
ALTER TABLE ONLY public.looks
    ADD CONSTRAINT pk_looks PRIMARY KEY (account_id);
ALTER TABLE ONLY public.low_marks
    ADD CONSTRAINT pk_low_marks PRIMARY KEY (account_id, asset);
ALTER TABLE ONLY public.members
    ADD CONSTRAINT pk_members PRIMARY KEY (chat_id, user_id);
ALTER TABLE ONLY public.movements
    ADD CONSTRAINT pk_movements PRIMARY KEY (id);
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT pk_notes PRIMARY KEY (name);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT pk_orders PRIMARY KEY (id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (id);
ALTER TABLE ONLY public.paper_balances
    ADD CONSTRAINT pk_paper_balances PRIMARY KEY (account_id, asset);
ALTER TABLE ONLY public.paper_orders
    ADD CONSTRAINT pk_paper_orders PRIMARY KEY (id);
ALTER TABLE ONLY public.posts
    ADD CONSTRAINT pk_posts PRIMARY KEY (name);
ALTER TABLE ONLY public.processes
    ADD CONSTRAINT pk_processes PRIMARY KEY (owner);
ALTER TABLE ONLY public.requests
    ADD CONSTRAINT pk_requests PRIMARY KEY (account_id);
ALTER TABLE ONLY public.strangers
    ADD CONSTRAINT pk_strangers PRIMARY KEY (user_id);
ALTER TABLE ONLY public.troubles
    ADD CONSTRAINT pk_troubles PRIMARY KEY (account_id);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT uq_accounts_chat_id UNIQUE (chat_id);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT uq_accounts_key_print UNIQUE (key_print);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT uq_accounts_uuid UNIQUE (uuid);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT uq_inbox_bot_id_update_id UNIQUE (bot_id, update_id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT uq_orders_account_id_run_id_attempt UNIQUE (account_id, run_id, attempt);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT uq_orders_client_order_id UNIQUE (client_order_id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT uq_outbox_dedupe_key UNIQUE (dedupe_key);
ALTER TABLE ONLY public.paper_orders
    ADD CONSTRAINT uq_paper_orders_account_id_client_order_id UNIQUE (account_id, client_order_id);
CREATE INDEX ix_alert_settings_digest_due ON public.alert_settings USING btree (digest_due);
CREATE INDEX ix_audit_chat_id ON public.audit USING btree (chat_id);
CREATE INDEX ix_cards_next_edit_at ON public.cards USING btree (next_edit_at);
CREATE INDEX ix_decisions_account_id_id ON public.decisions USING btree (account_id, id);
CREATE INDEX ix_exchange_accounts_account_print ON public.exchange_accounts USING btree (account_print);
CREATE INDEX ix_inbox_claimed ON public.inbox USING btree (chat_id) WHERE (claimed_until IS NOT NULL);
CREATE INDEX ix_inbox_waiting ON public.inbox USING btree (chat_id, rank, id) WHERE (done_at IS NULL);
CREATE INDEX ix_leases_owner ON public.leases USING btree (owner);
CREATE INDEX ix_movements_account_id_at ON public.movements USING btree (account_id, at);
CREATE INDEX ix_orders_account_id_created_at ON public.orders USING btree (account_id, created_at);
CREATE INDEX ix_orders_account_id_sent_at ON public.orders USING btree (account_id, sent_at);
CREATE INDEX ix_outbox_claimed ON public.outbox USING btree (chat_id) WHERE (claimed_until IS NOT NULL);
CREATE INDEX ix_outbox_waiting ON public.outbox USING btree (chat_id, rank, id) WHERE (done_at IS NULL);
CREATE UNIQUE INDEX uq_orders_one_unresolved ON public.orders USING btree (account_id) WHERE ((state)::text = ANY ((ARRAY['acked'::character varying, 'needs_human'::character varying, 'sending'::character varying, 'unknown'::character varying])::text[]));
ALTER TABLE ONLY public.alert_settings
    ADD CONSTRAINT fk_alert_settings_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.balances
    ADD CONSTRAINT fk_balances_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT fk_decisions_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.leases
    ADD CONSTRAINT fk_leases_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.looks
    ADD CONSTRAINT fk_looks_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.low_marks
    ADD CONSTRAINT fk_low_marks_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.movements
    ADD CONSTRAINT fk_movements_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT fk_orders_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.paper_balances
    ADD CONSTRAINT fk_paper_balances_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.paper_orders
    ADD CONSTRAINT fk_paper_orders_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.requests
    ADD CONSTRAINT fk_requests_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.troubles
    ADD CONSTRAINT fk_troubles_account_id_accounts FOREIGN KEY (account_id) REFERENCES public.accounts(id);
