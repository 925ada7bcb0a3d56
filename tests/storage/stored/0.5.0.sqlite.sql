BEGIN TRANSACTION;
CREATE TABLE "accounts" (
	id INTEGER NOT NULL, 
	uuid TEXT NOT NULL, 
	chat_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	target TEXT NOT NULL, 
	threshold TEXT NOT NULL, 
	threshold_unit VARCHAR(24) NOT NULL, 
	interval_s BIGINT NOT NULL, 
	symbol TEXT NOT NULL, 
	counting VARCHAR(24) NOT NULL, 
	dry_run BOOLEAN NOT NULL, 
	paused BOOLEAN NOT NULL, 
	sealed_key TEXT, 
	key_tail TEXT, 
	key_print TEXT, 
	created_at BIGINT NOT NULL, 
	halted BOOLEAN DEFAULT 0 NOT NULL, 
	limit_order TEXT, 
	limit_day TEXT, 
	limit_orders INTEGER, 
	limit_move TEXT, 
	autonomy VARCHAR(24) DEFAULT 'auto' NOT NULL, 
	not_before BIGINT, 
	key_expires_at BIGINT, 
	key_checked_at BIGINT, 
	key_told_days INTEGER, 
	topic_id INTEGER, 
	all_may_look BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_accounts PRIMARY KEY (id), 
	CONSTRAINT uq_accounts_key_print UNIQUE (key_print), 
	CONSTRAINT uq_accounts_chat_id UNIQUE (chat_id), 
	CONSTRAINT uq_accounts_uuid UNIQUE (uuid)
);
INSERT INTO "accounts" VALUES(1,'427117060c11451d87b389197fa274ca',1001,4,'40','0.05','fraction',120,'MNTLUSDT','held',0,0,'gAAAAABrDOu3YDMWFVOzEKm3totBb5nLDt84irKhHoBOnZIx3DdmWpEeOvMrshQm9zNkmKYRjioC82DOtDbBsBjz1zpJGPH9HPOLxgSRMXZI62E4j29pAqpUw8mXxZRQBW5I6Tnfg6a-zBp1XPmn8LxNwwXb0aYWplGnMM1GlV5aXCU7oO1kIKcwXVc58zMKcQ9KcHdT35U-L0aO9xhSlxQM9UaPQEvtYJJaXBRw4SD6MuasE9ubdOazQU621re32jy78tcvxgxEdkXog-9c3CnwCvypfCfjhA==','BWC5','print-of-the-key',1795348800000,0,'90.5','300',7,'0.15','auto',NULL,1795352400000,1795348800000,7,NULL,0);
INSERT INTO "accounts" VALUES(2,'58d249a858cc45408f5dedea0b81d50e',-1001234567890,1,'1234.56','7.5','quote',7200,'MXUSDT','free',1,1,NULL,NULL,NULL,1795348800000,0,NULL,NULL,NULL,NULL,'ask',1795352400000,NULL,NULL,NULL,77,1);
INSERT INTO "accounts" VALUES(3,'85265a112b4046f89c842ba30a0128b4',1003,1,'40','0.05','fraction',120,'MNTLUSDT','held',0,0,NULL,NULL,NULL,1795348800000,1,NULL,NULL,NULL,NULL,'auto',NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "accounts" VALUES(4,'69630a9a37744727b009fcad059c7b53',1004,1,'40','0.05','fraction',120,'MNTLUSDT','held',0,0,NULL,NULL,NULL,1795348800000,0,NULL,NULL,NULL,NULL,'auto',NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "accounts" VALUES(5,'187e906b57c441e6bcc958d3c4c11ab4',1005,1,'40','0.05','fraction',120,'MNTLUSDT','held',0,0,NULL,NULL,NULL,1795348800000,0,NULL,NULL,NULL,NULL,'auto',NULL,NULL,NULL,NULL,NULL,0);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0010');
CREATE TABLE alert_settings (
	account_id INTEGER NOT NULL, 
	levels TEXT NOT NULL, 
	smallest TEXT NOT NULL, 
	time_zone TEXT NOT NULL, 
	quiet_from INTEGER, 
	quiet_until INTEGER, 
	errors_break_through BOOLEAN DEFAULT 1 NOT NULL, 
	ask_deposits BOOLEAN DEFAULT 1 NOT NULL, 
	digest_minute INTEGER, 
	digest_due BIGINT, 
	digest_at BIGINT, 
	digest_quote TEXT, 
	CONSTRAINT pk_alert_settings PRIMARY KEY (account_id), 
	CONSTRAINT fk_alert_settings_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "alert_settings" VALUES(1,'{"trade": "silent", "digest": "on", "key": "off"}','2.5','Europe/Berlin',1320,420,0,0,480,1795417200000,1795348800000,'57.1');
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	chat_id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	action TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (id)
);
INSERT INTO "audit" VALUES(1,1795348800000,1001,1001,'settings','target','1234.56 USDT -> 40 USDT');
INSERT INTO "audit" VALUES(2,1795348800000,1001,1001,'settings','threshold','7.5 USDT -> 5%');
INSERT INTO "audit" VALUES(3,1795348800000,1001,1001,'settings','interval','7200 s -> 120 s');
INSERT INTO "audit" VALUES(4,1795348800000,1001,1001,'settings','pair','MXUSDT -> MNTLUSDT');
INSERT INTO "audit" VALUES(5,1795348800000,1001,1001,'settings','count','free -> held');
INSERT INTO "audit" VALUES(6,1795348800000,1001,1001,'settings','mode','ask -> auto');
INSERT INTO "audit" VALUES(7,1795348800000,1001,1001,'settings','dry run','on -> off');
INSERT INTO "audit" VALUES(8,1795348800000,1001,1001,'trading','trading','paused -> on');
INSERT INTO "audit" VALUES(9,1795348800000,1001,1001,'key','key','none -> …BWC5');
INSERT INTO "audit" VALUES(10,1795348800000,1001,1001,'limits','order','auto -> 90.5 USDT');
INSERT INTO "audit" VALUES(11,1795348800000,1001,1001,'limits','day','auto -> 300 USDT');
INSERT INTO "audit" VALUES(12,1795348800000,1001,1001,'limits','orders an hour','auto -> 7');
INSERT INTO "audit" VALUES(13,1795348800000,1001,1001,'limits','price','auto -> 15%');
INSERT INTO "audit" VALUES(14,1795352400000,1001,1001,'halt','all accounts','1 account');
INSERT INTO "audit" VALUES(15,1795352400000,1001,1001,'lift the halt','all accounts','1 account');
INSERT INTO "audit" VALUES(16,1795352400000,1001,1001,'pair','the bot','by the code');
INSERT INTO "audit" VALUES(17,1795352400000,1001,1001,'invite','viewer','until 12:00');
INSERT INTO "audit" VALUES(18,1795352400000,1001,1001,'join','this chat','none -> viewer');
INSERT INTO "audit" VALUES(19,1795352400000,1001,1001,'role','2002 Ann','viewer -> trader');
INSERT INTO "audit" VALUES(20,1795352400000,1001,1001,'look','looking','members -> everybody');
INSERT INTO "audit" VALUES(21,1795352400000,1001,1001,'topic','alerts','general -> 77');
INSERT INTO "audit" VALUES(22,1795352400000,1001,1001,'order_claimed','blunknown','it was filled; left to it');
INSERT INTO "audit" VALUES(23,1795352400000,1001,1001,'order_set_aside','blset_aside','nothing');
INSERT INTO "audit" VALUES(24,1795352400000,1001,1001,'trade','uuid','SELL 17.5');
INSERT INTO "audit" VALUES(25,1795352400000,1001,1001,'mode','uuid','auto -> ask');
INSERT INTO "audit" VALUES(26,1795352400000,1001,1001,'offer','uuid','skipped');
INSERT INTO "audit" VALUES(27,1795352400000,1001,1001,'alerts','uuid','trade: on -> silent');
INSERT INTO "audit" VALUES(28,1795352400000,1001,1001,'warn','MX','none -> 0.5');
INSERT INTO "audit" VALUES(29,1795352400000,1001,1001,'real money','uuid','by a tap');
INSERT INTO "audit" VALUES(30,1795352400000,1001,1001,'undo','uuid','target 60 -> 40');
CREATE TABLE balances (
	account_id INTEGER NOT NULL, 
	dry_run BOOLEAN NOT NULL, 
	asset TEXT NOT NULL, 
	amount TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_balances PRIMARY KEY (account_id, dry_run, asset), 
	CONSTRAINT fk_balances_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "balances" VALUES(1,0,'USDT','57.1',1795348800000);
INSERT INTO "balances" VALUES(1,0,'MNTL','91858',1795348800000);
CREATE TABLE cards (
	chat_id INTEGER NOT NULL, 
	message_id INTEGER NOT NULL, 
	pinned BOOLEAN NOT NULL, 
	shown TEXT NOT NULL, 
	next_edit_at BIGINT NOT NULL, 
	CONSTRAINT pk_cards PRIMARY KEY (chat_id)
);
INSERT INTO "cards" VALUES(1001,41,1,'g1 w1 {"at":"2026-11-22T12:00:00+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"InsideBand"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}',1795352400000);
CREATE TABLE confirmations (
	id TEXT NOT NULL, 
	chat_id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	used_at BIGINT, message_id INTEGER, 
	CONSTRAINT pk_confirmations PRIMARY KEY (id)
);
INSERT INTO "confirmations" VALUES('rebalance-1',1001,1001,'rebalance','{"side":"SELL","expected_quote":"17.5","version":3}',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('offer-1',-1001234567890,0,'offer','{"side":"SELL","expected_quote":"17.5","version":3}',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('go_live-1',1001,1001,'go_live','{"wanted":{"target":"60.01","threshold":{"value":"0.07","unit":"fraction"},"interval_s":300,"symbol":"MXUSDT","counting":"free","autonomy":"notify","dry_run":false,"limits":{"order":"90.5","day":"300","orders_per_hour":7,"move":"0.15"}},"found":{"target":"40","threshold":null,"interval_s":null,"symbol":null,"counting":null,"autonomy":null,"dry_run":null,"limits":null},"version":3,"side":"BUY","expected_quote":"20.01","in_panel":true}',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('undo-1',1001,1001,'undo','{"wanted":{"target":"60.01","threshold":{"value":"0.07","unit":"fraction"},"interval_s":300,"symbol":"MXUSDT","counting":"free","autonomy":"notify","dry_run":false,"limits":{"order":"90.5","day":"300","orders_per_hour":7,"move":"0.15"}},"found":{"target":"40","threshold":null,"interval_s":null,"symbol":null,"counting":null,"autonomy":null,"dry_run":null,"limits":null},"version":3,"side":"BUY","expected_quote":"20.01","in_panel":true}',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('big_target-1',1001,1001,'big_target','{"wanted":{"target":"60.01","threshold":{"value":"0.07","unit":"fraction"},"interval_s":300,"symbol":"MXUSDT","counting":"free","autonomy":"notify","dry_run":false,"limits":{"order":"90.5","day":"300","orders_per_hour":7,"move":"0.15"}},"found":{"target":"40","threshold":null,"interval_s":null,"symbol":null,"counting":null,"autonomy":null,"dry_run":null,"limits":null},"version":3,"side":"BUY","expected_quote":"20.01","in_panel":true}',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('keep_deposit-1',1001,1001,'keep_deposit','{"wanted":{"target":"60.01","threshold":{"value":"0.07","unit":"fraction"},"interval_s":300,"symbol":"MXUSDT","counting":"free","autonomy":"notify","dry_run":false,"limits":{"order":"90.5","day":"300","orders_per_hour":7,"move":"0.15"}},"found":{"target":"40","threshold":null,"interval_s":null,"symbol":null,"counting":null,"autonomy":null,"dry_run":null,"limits":null},"version":3,"side":"BUY","expected_quote":"20.01","in_panel":true}',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('lift_halt-1',1001,1001,'lift_halt','{"at":"2026-11-22T12:00:00+00:00","user_id":1001}',1795348800000,1795352400000,1795348800000,31);
INSERT INTO "confirmations" VALUES('choice-1',1001,1001,'choice','["settarget","40","400"]',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('members-1',1001,1001,'members','{"page":1,"user_ids":[1001,2002],"has_pages":true,"has_more":false,"all_may_look":true,"is_private":false}',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('member-1',1001,1001,'member','{"user_id":2002,"name":"Ann","role":"trader","options":["viewer","owner","remove","back"]}',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('member_role-1',1001,1001,'member_role','{"user_id":2002,"name":"Ann","expected":"trader","wanted":"owner"}',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('all_may_look-1',1001,1001,'all_may_look','true',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('set_aside-1',1001,1001,'set_aside','blneeds_human',1795348800000,1795352400000,NULL,NULL);
INSERT INTO "confirmations" VALUES('disconnect-1',1001,1001,'disconnect','BWC5',1795348800000,1795352400000,NULL,NULL);
CREATE TABLE decisions (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	payload TEXT NOT NULL, 
	CONSTRAINT pk_decisions PRIMARY KEY (id), 
	CONSTRAINT fk_decisions_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "decisions" VALUES(1,1,1795348800000,'{"at":"2026-11-22T12:00:00+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"InsideBand"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(2,1,1795348801000,'{"at":"2026-11-22T12:00:01+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"PairClosed"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(3,1,1795348802000,'{"at":"2026-11-22T12:00:02+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"SideClosed","side":"SELL"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(4,1,1795348803000,'{"at":"2026-11-22T12:00:03+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"EmptyBook","side":"BUY"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(5,1,1795348804000,'{"at":"2026-11-22T12:00:04+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"NothingFree","side":"SELL","free":"0.5","locked":"9"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(6,1,1795348805000,'{"at":"2026-11-22T12:00:05+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"UnderMinimum","side":"BUY","quote_amount":"0.4","minimum":"1.1"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(7,1,1795348806000,'{"at":"2026-11-22T12:00:06+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"StepTooCoarse","step_value":"5.2","shortfall":"3.1"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(8,1,1795348807000,'{"at":"2026-11-22T12:00:07+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"OverLimit","kind":"order","asked":"95","allowed":"90.5","used":"4"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(9,1,1795348808000,'{"at":"2026-11-22T12:00:08+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"OverLimit","kind":"day","asked":"95","allowed":"90.5","used":"4"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(10,1,1795348809000,'{"at":"2026-11-22T12:00:09+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"OverLimit","kind":"hour","asked":"95","allowed":"90.5","used":"4"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(11,1,1795348810000,'{"at":"2026-11-22T12:00:10+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"OverLimit","kind":"jump","asked":"95","allowed":"90.5","used":"4"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(12,1,1795348811000,'{"at":"2026-11-22T12:00:11+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"OverLimit","kind":"slip","asked":"95","allowed":"90.5","used":"4"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(13,1,1795348812000,'{"at":"2026-11-22T12:00:12+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"LeftToPerson","side":"BUY","expected_quote":"17.2","autonomy":"notify"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(14,1,1795348813000,'{"at":"2026-11-22T12:00:13+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"MovedAway","side":"SELL","expected_quote":"17.3"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(15,1,1795348814000,'{"at":"2026-11-22T12:00:14+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Waiting","client_order_id":"blunknown"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(16,1,1795348815000,'{"at":"2026-11-22T12:00:15+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Unsettled"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(17,1,1795348816000,'{"at":"2026-11-22T12:00:16+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Failed","kind":"clock","detail":"700003: outside the window"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "decisions" VALUES(18,1,1795348817000,'{"at":"2026-11-22T12:00:17+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Ordered","client_order_id":"blfilled","side":"SELL","expected_quote":"17.11"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
CREATE TABLE dialogs (
	chat_id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_dialogs PRIMARY KEY (chat_id, user_id)
);
INSERT INTO "dialogs" VALUES(1001,1001,'connect:key','gAAAAABrDOu4DclEcsd-hI1Lsyzw6NUqPggUeFC5nWgfTSOD6QLaVXtxnW6mLUb-b-Bkj7InDqmdhe2ILoMtiJecoIAiGl7tVDUVoAZqbpU7nsDElyCvm2Ns7UVkcQtAtNDCBkQ7nQBWo-gvLfhgxMuP6HnL568EzA==',1795352400000);
INSERT INTO "dialogs" VALUES(1001,2002,'connect:secret','gAAAAABrDOu4MfIdt6cH7O5fAHhheR8iB3ujsHN4X5wZi_c419LaJZsriKSxyMCX2ZMDpT2QVShWSNMamhfHV_WyY8EA-AHXaIPpU1QbQsjeQAdyOk9NO8GBeUDX8nlBQtYE5FkSWrOZrQB3Od9BtL15ORs_ZLW9Pdy2NTp2K9oI1cKK8GgHJ54=',1795352400000);
INSERT INTO "dialogs" VALUES(1001,3003,'value:settarget','gAAAAABrDOu4uCz8jA4cT4obH7rp2DUy-mBu4Mc_DJnjgNaqzVocexzp_bhBYVYr6J9vRE7LDkVjRml0elCrl-4MCUIO9j2bRmDRXxmYyzlLSCL3sMBL9xgeyHAm_wdBgDmmyEDS2XSqHkoqmu_4Om-wKCve-SdPQg==',1795352400000);
CREATE TABLE exchange_accounts (
	key_print TEXT NOT NULL, 
	account_print TEXT NOT NULL, 
	connected_at BIGINT NOT NULL, 
	CONSTRAINT pk_exchange_accounts PRIMARY KEY (key_print)
);
INSERT INTO "exchange_accounts" VALUES('print-of-the-key','print-of-the-account',1795348800000);
CREATE TABLE inbox (
	bot_id INTEGER NOT NULL, 
	update_id INTEGER NOT NULL, 
	id INTEGER NOT NULL, 
	chat_id INTEGER NOT NULL, 
	payload TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	not_before BIGINT NOT NULL, 
	claimed_until BIGINT, 
	attempts INTEGER NOT NULL, 
	done_at BIGINT, 
	failure TEXT, rank INTEGER DEFAULT 10 NOT NULL, deaths INTEGER DEFAULT 0 NOT NULL, claimed_by TEXT, 
	CONSTRAINT pk_inbox PRIMARY KEY (id), 
	CONSTRAINT uq_inbox_bot_id_update_id UNIQUE (bot_id, update_id)
);
INSERT INTO "inbox" VALUES(123456789,501,1,1001,'gAAAAABrDOu4D3hRH3EecYESVZt4EYCyzwswUM5rc5jPKW995pJnjhdJBHDIpinAllZXqhddFoHVvGUj7QB1x1BhnjfIQn-gwVoR0FcBfY2slcU3R8hwYPsFdelStKBZVz-FHmXH7h712tEC_MfmDkiteNqyPGLG1CUNOTjbwqQwFzTzLBHCycHIOfGJg5k1GCJNxkaoKsWVUW9jZg3LbE7_QkTr_dbeCCQkBGAGjC1qHq34oPo1JjaxQySgG2QY29hW4TPktWO_',1795348800000,1795348800000,1795348860000,1,NULL,NULL,10,0,'worker-1');
INSERT INTO "inbox" VALUES(123456789,502,2,1001,'gAAAAABrDOu45amdpK0nX2ArMwdnyyIiNdDWkNOORLMuYJcQdUCFfDAE9L0lxzGgtb4Aguhb6POoThKHz44_EiRxV0sYV_fV-XrWiQk6rQ2Q19Ei0VEzd6KNmjijRcX-nCFp78C8OY3lOlCLBnWPLDm3NS0OY5xkahfiYJPw9RZNdgLCq51pWRyps_gaditVWM9Ade268tT2_MkmdDLBfnuhmSkkJhZvOgqvSsmHMQwZiEeRWChLIFATVeChEphvGN3NhDrb0FZf',1795348800000,1795348800000,NULL,0,NULL,NULL,20,0,NULL);
INSERT INTO "inbox" VALUES(123456789,503,3,1001,'',1795348800000,1795348800000,NULL,1,1795348800000,'ValueError',0,0,NULL);
CREATE TABLE invitations (
	code_hash TEXT NOT NULL, 
	chat_id INTEGER NOT NULL, 
	role VARCHAR(24) NOT NULL, 
	invited_by INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	used_by INTEGER, 
	used_at BIGINT, 
	CONSTRAINT pk_invitations PRIMARY KEY (code_hash)
);
INSERT INTO "invitations" VALUES('hash-1',-1001234567890,'viewer',1001,1795348800000,1795352400000,NULL,NULL);
INSERT INTO "invitations" VALUES('hash-2',-1001234567890,'viewer',1001,1795348800000,1795352400000,2002,1795348800000);
CREATE TABLE leases (
	account_id INTEGER NOT NULL, 
	owner TEXT, 
	fence INTEGER NOT NULL, 
	lease_until BIGINT NOT NULL, 
	woken BOOLEAN NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (account_id), 
	CONSTRAINT fk_leases_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "leases" VALUES(1,'worker-1',1,1795348860000,0);
INSERT INTO "leases" VALUES(2,'worker-1',1,1795348860000,1);
INSERT INTO "leases" VALUES(3,'worker-1',1,1795348860000,0);
INSERT INTO "leases" VALUES(4,NULL,0,0,0);
INSERT INTO "leases" VALUES(5,NULL,0,0,0);
CREATE TABLE looks (
	account_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	payload TEXT NOT NULL, 
	CONSTRAINT pk_looks PRIMARY KEY (account_id), 
	CONSTRAINT fk_looks_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "looks" VALUES(1,1795348817000,'{"at":"2026-11-22T12:00:17+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Ordered","client_order_id":"blfilled","side":"SELL","expected_quote":"17.11"},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
CREATE TABLE low_marks (
	account_id INTEGER NOT NULL, 
	asset TEXT NOT NULL, 
	below TEXT NOT NULL, 
	told BOOLEAN NOT NULL, 
	CONSTRAINT pk_low_marks PRIMARY KEY (account_id, asset), 
	CONSTRAINT fk_low_marks_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "low_marks" VALUES(1,'MX','0.5',1);
INSERT INTO "low_marks" VALUES(1,'USDT','20',0);
CREATE TABLE members (
	chat_id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	is_owner BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, role VARCHAR(24) DEFAULT 'trader' NOT NULL, name TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_members PRIMARY KEY (chat_id, user_id)
);
INSERT INTO "members" VALUES(1001,1001,1,1795348800000,'owner','Zoë 🟢');
INSERT INTO "members" VALUES(-1001234567890,2002,0,1795352400000,'trader','Ann');
INSERT INTO "members" VALUES(-1001234567890,3003,0,1795352400000,'viewer','Ann');
CREATE TABLE movements (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	dry_run BOOLEAN NOT NULL, 
	asset TEXT NOT NULL, 
	"before" TEXT NOT NULL, 
	"after" TEXT NOT NULL, 
	CONSTRAINT pk_movements PRIMARY KEY (id), 
	CONSTRAINT fk_movements_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "movements" VALUES(1,1,1795348800000,0,'USDT','40','140.25');
INSERT INTO "movements" VALUES(2,1,1795352400000,1,'MNTL','9','0');
CREATE TABLE notes (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_notes PRIMARY KEY (name)
);
INSERT INTO "notes" VALUES('oldest_code','0003');
INSERT INTO "notes" VALUES('halt','{"at":"2026-11-22T12:00:00+00:00","user_id":1001}');
INSERT INTO "notes" VALUES('exchange_account:print-of-the-account','');
INSERT INTO "notes" VALUES('seen:1','{"at":"2026-11-22T12:00:00+00:00","trigger":"person","target":"40","band":{"low":"38","high":"42"},"verdict":{"_type":"Declined","reason":{"_type":"InsideBand"}},"seen":{"symbol":"MNTLUSDT","quote":{"free":"57.1","locked":"0.00000001"},"base":{"free":"91858","locked":"0"},"held":"57.10000001","price":"0.0021","jump":{"at":"2026-11-20T12:00:00+00:00","before":"0.001"}},"funds":"BWC5","first":{"symbol":"MNTLUSDT","quote":{"free":"1","locked":"0"},"base":{"free":"0","locked":"0"},"held":"1","price":null,"jump":null}}');
INSERT INTO "notes" VALUES('offer:2','{"id":"offer-1","autonomy":"ask","symbol":"MNTLUSDT","dry_run":true,"side":"BUY","expected_quote":"17.4","version":3,"at":"2026-11-22T12:00:00+00:00","expires_at":"2026-11-22T13:00:00+00:00","since":"2026-11-22T12:00:00+00:00","standing":"skipped"}');
INSERT INTO "notes" VALUES('undeliverable:-1001234567890','{"chat_id":-1001234567890,"since":"2026-11-20T12:00:00+00:00","last_at":"2026-11-22T12:00:00+00:00","problem":"chat not found","gone":true,"told":[1001]}');
INSERT INTO "notes" VALUES('paused_undeliverable:2','');
INSERT INTO "notes" VALUES('moved_from:-1001234567890','-55');
INSERT INTO "notes" VALUES('name:1001','Zoë');
INSERT INTO "notes" VALUES('said:welcome','1795348800000');
INSERT INTO "notes" VALUES('pairing_code','hash-of-the-code');
INSERT INTO "notes" VALUES('pairing_tries','5');
INSERT INTO "notes" VALUES('code_guesses:3003','1 1795348800000');
INSERT INTO "notes" VALUES('pruned','001795348800000');
INSERT INTO "notes" VALUES('vault_canary','gAAAAABrDOu4QyPor1rnBdmp_Y25g3p46mrSetH_3XOB20fy3tkEUQw47DefrlkUT3TYUpmATCmuGseZMU22hknMEeHvXffoO2pEP7LI0KxALmJpaOpKrBCrH1R4G2FBbBgdGQJNgKeM');
INSERT INTO "notes" VALUES('doctor:1','2026-11-22T12:00:00+00:00');
INSERT INTO "notes" VALUES('key_powers:print-of-the-key','SPOT_WITHDRAW_WRITE');
INSERT INTO "notes" VALUES('moved:-55','-1001234567890');
INSERT INTO "notes" VALUES('brought_forward','0 0');
INSERT INTO "notes" VALUES('webhook_secret','gAAAAABrDOu43zpMvU8c6p7Wt2lpsWSZ6ODPFWAa5LPA3-8WVGmvf-jj3B-Y_6ZYkwTQV3OwADAM2Fez6dv4r6MInlqZNjOd2i6Yj0VVbp4u-lEHZJr0TltnDM0qKrRBDMghg3JBlUVjn_nXaTPO_OEZmqzZxn7xC6r9s_w_7C-MJGWVcuSDH0K-cdb1Brv_0BtqI2SLuUSFAHMNvryyAFvE7VCiQ-iDqfN8iFQW32GvonCrr-Nu8oI=');
INSERT INTO "notes" VALUES('silence:direct','1795348800000 1795359600000');
CREATE TABLE "orders" (
	id INTEGER NOT NULL, 
	client_order_id TEXT NOT NULL, 
	account_id INTEGER NOT NULL, 
	run_id TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	symbol TEXT NOT NULL, 
	side VARCHAR(24) NOT NULL, 
	quote_amount TEXT, 
	base_quantity TEXT, 
	expected_quote TEXT NOT NULL, 
	dry_run BOOLEAN NOT NULL, 
	"trigger" VARCHAR(24) NOT NULL, 
	fence INTEGER NOT NULL, 
	target TEXT NOT NULL, 
	quote_before TEXT NOT NULL, 
	base_before TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	state VARCHAR(24) NOT NULL, 
	sent_at BIGINT, 
	exchange_order_id TEXT, 
	executed_base TEXT NOT NULL, 
	executed_quote TEXT NOT NULL, 
	fees TEXT, 
	quote_after TEXT, 
	base_after TEXT, 
	resolved_at BIGINT, 
	misses INTEGER NOT NULL, 
	missed_at BIGINT, 
	error TEXT, 
	worth_cents INTEGER DEFAULT 0 NOT NULL, 
	price TEXT, 
	move_bp INTEGER DEFAULT 0 NOT NULL, fees_complete BOOLEAN DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_orders PRIMARY KEY (id), 
	CONSTRAINT uq_orders_client_order_id UNIQUE (client_order_id), 
	CONSTRAINT fk_orders_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT uq_orders_account_id_run_id_attempt UNIQUE (account_id, run_id, attempt)
);
INSERT INTO "orders" VALUES(1,'blplanned',1,'run-0',1,'MNTLUSDT','BUY','17.1',NULL,'17.1',0,'person',0,'40','57.1','100000',1795348800000,'planned',NULL,NULL,'0','0',NULL,NULL,NULL,NULL,0,NULL,NULL,1710,'0.002',0,1);
INSERT INTO "orders" VALUES(2,'blfilled',1,'run-1',2,'MNTLUSDT','SELL',NULL,'8001','17.11',0,'interval',1,'40','57.1','100000',1795348801000,'filled',1795348801000,'C02__1','8101','16.31','{"USDT": "0.008150142", "MX": "0.0001"}','40.79','108142',1795348802000,0,NULL,NULL,1711,'0.002',1,1);
INSERT INTO "orders" VALUES(3,'blpartial',1,'run-2',3,'MNTLUSDT','BUY','17.12',NULL,'17.12',0,'interval',2,'40','57.1','100000',1795348802000,'partial',1795348802000,'C02__2','8102','16.32','{"USDT": "0.008150142", "MX": "0.0001"}','40.79','108142',1795348803000,0,NULL,NULL,1712,'0.002',2,0);
INSERT INTO "orders" VALUES(4,'blunfilled',1,'run-3',1,'MNTLUSDT','SELL',NULL,'8003','17.13',0,'person',3,'40','57.1','100000',1795348803000,'unfilled',1795348803000,NULL,'0','0',NULL,NULL,NULL,NULL,0,NULL,NULL,1713,'0.002',3,1);
INSERT INTO "orders" VALUES(5,'blrejected',1,'run-4',2,'MNTLUSDT','BUY','17.14',NULL,'17.14',0,'interval',4,'40','57.1','100000',1795348804000,'rejected',1795348804000,NULL,'0','0',NULL,NULL,NULL,NULL,0,NULL,'30004: no',1714,'0.002',4,1);
INSERT INTO "orders" VALUES(6,'blnot_executed',1,'run-5',3,'MNTLUSDT','SELL',NULL,'8005','17.15',1,'interval',5,'40','57.1','100000',1795348805000,'not_executed',1795348805000,NULL,'0','0',NULL,NULL,NULL,NULL,0,NULL,NULL,1715,'0.002',5,1);
INSERT INTO "orders" VALUES(7,'blset_aside',1,'run-6',1,'MNTLUSDT','BUY','17.16',NULL,'17.16',0,'person',6,'40','57.1','100000',1795348806000,'set_aside',1795348806000,NULL,'0','0',NULL,NULL,NULL,NULL,0,NULL,NULL,1716,'0.002',6,1);
INSERT INTO "orders" VALUES(8,'bldropped',1,'run-7',2,'MNTLUSDT','SELL',NULL,'8007','17.17',0,'interval',7,'40','57.1','100000',1795348807000,'dropped',1795348807000,NULL,'0','0',NULL,NULL,NULL,NULL,0,NULL,NULL,1717,'0.002',7,1);
INSERT INTO "orders" VALUES(9,'blsending',2,'run-8',3,'MNTLUSDT','BUY','17.18',NULL,'17.18',0,'interval',8,'40','57.1','100000',1795348808000,'sending',1795348808000,NULL,'0','0',NULL,NULL,NULL,NULL,0,NULL,NULL,1718,'0.002',8,1);
INSERT INTO "orders" VALUES(10,'blacked',3,'run-9',1,'MNTLUSDT','SELL',NULL,'8009','17.19',0,'person',9,'40','57.1','100000',1795348809000,'acked',1795348809000,NULL,'0','0',NULL,NULL,NULL,NULL,0,NULL,NULL,1719,'0.002',9,1);
INSERT INTO "orders" VALUES(11,'blunknown',4,'run-10',2,'MNTLUSDT','BUY','17.11',NULL,'17.11',0,'interval',10,'40','57.1','100000',1795348810000,'unknown',1795348810000,NULL,'0','0',NULL,NULL,NULL,NULL,2,1795348800000,NULL,1711,'0.002',10,1);
INSERT INTO "orders" VALUES(12,'blneeds_human',5,'run-11',3,'MNTLUSDT','SELL',NULL,'8011','17.111',0,'interval',11,'40','57.1','100000',1795348811000,'needs_human',1795348811000,NULL,'0','0',NULL,NULL,NULL,NULL,0,NULL,NULL,1712,'0.002',11,1);
CREATE TABLE outbox (
	kind TEXT NOT NULL, 
	dedupe_key TEXT NOT NULL, 
	message_id INTEGER, 
	id INTEGER NOT NULL, 
	chat_id INTEGER NOT NULL, 
	payload TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	not_before BIGINT NOT NULL, 
	claimed_until BIGINT, 
	attempts INTEGER NOT NULL, 
	done_at BIGINT, 
	failure TEXT, topic_id INTEGER, rank INTEGER DEFAULT 10 NOT NULL, deaths INTEGER DEFAULT 0 NOT NULL, claimed_by TEXT, 
	CONSTRAINT pk_outbox PRIMARY KEY (id), 
	CONSTRAINT uq_outbox_dedupe_key UNIQUE (dedupe_key)
);
INSERT INTO "outbox" VALUES('trade_settled','order:blfilled:filled',NULL,1,1001,'{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","side":"BUY","trigger":"person","base_quantity":"8142","quote_amount":"16.31","asked_quote":"17.1","fees":{"USDT":"0.0081"},"quote_before":"57.1","quote_after":"40.79","target":"40","late":true,"fees_complete":false}',1795348800000,1795348800000,1795348860000,1,NULL,NULL,NULL,10,0,'worker-1');
INSERT INTO "outbox" VALUES('order_unclear','order:blunknown:unclear',NULL,2,1001,'{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","side":"SELL","expected_quote":"17.03"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('order_never_arrived','order:blnot_executed:never',NULL,3,1001,'{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","side":"SELL","expected_quote":"17.03"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('order_needs_person','order:blneeds_human:person',NULL,4,1001,'{"dry_run":false,"symbol":"MNTLUSDT","side":"SELL","expected_quote":"17.03","client_order_id":"blneeds_human","status":"PENDING_REVIEW","base_quantity":"11","quote_amount":"0.022"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('trouble_told','trouble:1:2026-11-20T12:00:00+00:00:blocked:4',NULL,5,1001,'{"dry_run":false,"paused":false,"halted":false,"kind":"blocked","detail":"NothingFree","count":4,"since":"2026-11-20T12:00:00+00:00","at":"2026-11-22T12:00:00+00:00","symbol":"MNTLUSDT","reason":{"_type":"NothingFree","side":"SELL","free":"0.5","locked":"9"}}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('trouble_over','over:1:2026-11-20T12:00:00+00:00',NULL,6,1001,'{"dry_run":true,"paused":false,"halted":false,"kind":"clock","count":6,"since":"2026-11-20T12:00:00+00:00","at":"2026-11-22T12:00:00+00:00"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('run_declined','run:lift_halt-1:declined',NULL,7,1001,'{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","held":"40.4","target":"40","reason":null,"new_side":"SELL","new_quote":"17.04"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('drift_noticed','offer:offer-0',NULL,8,1001,'{"dry_run":false,"symbol":"MNTLUSDT","side":"BUY","expected_quote":"17.01","expected_base":"8101","held":"57.01","target":"40","band":{"low":"38","high":"42"},"asked_quote":"17.02","held_after":"40.02","complete":false}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('plan_offered','offer:offer-1',NULL,9,1001,'{"confirmation_id":"offer-1","drift":{"dry_run":false,"symbol":"MNTLUSDT","side":"BUY","expected_quote":"17.01","expected_base":"8101","held":"57.01","target":"40","band":{"low":"38","high":"42"},"asked_quote":"17.02","held_after":"40.02","complete":false}}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('moved','moved:1:1',NULL,10,1001,'{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","moved":[{"at":"2026-11-22T12:00:00+00:00","dry_run":false,"asset":"USDT","before":"40","after":"140.25"},{"at":"2026-11-22T13:00:00+00:00","dry_run":true,"asset":"MNTL","before":"9","after":"0"}],"by_hand":false,"held":"140.25","target":"40","band":{"low":"38","high":"42"},"autonomy":"notify","last_for_now":true,"quantity_step":"0.01","question_id":"keep_deposit-1","new_target":"140.2"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('halted','halt:1:4',NULL,11,1001,'{"dry_run":false,"expected_quote":"17.05"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('halt_lifted','halt:1:5',NULL,12,1001,'{"dry_run":false,"paused":true}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('low_mark_reached','low:1:MX:1795348800000',NULL,13,1001,'{"dry_run":false,"paused":false,"halted":false,"symbol":"MNTLUSDT","asset":"MX","below":"0.5","left":"0.25"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('low_mark_over','low:1:MX:1795348900000',NULL,14,1001,'{"dry_run":false,"paused":false,"halted":false,"asset":"MX","below":"0.5","left":"0.75"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('digest','digest:1:2026-11-22T07:00:00+00:00',NULL,15,1001,'{"dry_run":false,"paused":false,"halted":false,"since":"2026-11-20T12:00:00+00:00","at":"2026-11-22T12:00:00+00:00","target":"40","trades":3,"bought":"17.06","sold":"4.44","fees":{"MX":"0.001"},"small":1,"smallest":"2.5","held_before":"57.1","held":"40.79","troubles":2,"trouble":"rate_limited","key_expires_at":"2026-11-22T13:00:00+00:00","fees_complete":false}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('key_ending','key:1:2026-11-22:3',NULL,16,1001,'{"dry_run":false,"paused":false,"halted":false,"key_tail":"BWC5","days_left":3,"expires_at":"2026-11-22T13:00:00+00:00"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('key_too_powerful','powers:1:4:2026-11-22T12',NULL,17,1001,'{"dry_run":false,"paused":false,"halted":false,"key_tail":"BWC5","powers":"SPOT_WITHDRAW_WRITE"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('money_shared','shared:1:4',NULL,18,1001,'{"dry_run":false,"paused":false,"halted":false,"key_tail":"BWC5"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('member_joined','join:hash-2',NULL,19,1001,'{"user_id":2002,"name":"Ann <b>","role":"trader"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('chat_undeliverable','undeliverable:-1001234567890:2026-11-20T12:00:00+00:00:1001',NULL,20,1001,'{"dry_run":false,"chat_id":-1001234567890,"name":"Ann","since":"2026-11-20T12:00:00+00:00","problem":"chat not found","gone":true,"paused":true,"pauses_at":"2026-11-22T13:00:00+00:00"}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('chat_deliverable','undeliverable:-1001234567890:2026-11-20T12:00:00+00:00:1001:over',NULL,21,1001,'{"dry_run":false,"chat_id":-1001234567890,"name":"Ann","since":"2026-11-20T12:00:00+00:00","at":"2026-11-22T12:00:00+00:00","problem":"chat not found","resumed":true,"paused":false,"here":true}',1795348800000,1795348800000,NULL,0,NULL,NULL,NULL,10,0,NULL);
INSERT INTO "outbox" VALUES('trouble_over','over:2',NULL,22,-1001234567890,'{"dry_run":true,"paused":true,"halted":false,"kind":"bad_data","count":5,"since":"2026-11-20T12:00:00+00:00","at":"2026-11-22T12:00:00+00:00"}',1795348800000,1795348800000,NULL,0,NULL,NULL,77,10,0,NULL);
INSERT INTO "outbox" VALUES('answer','answer:0',51,23,-1001234567890,'{"text": "<b>One</b> &amp; two", "keyboard": null}',1795348800000,1795348800000,NULL,1,1795348800000,NULL,77,0,0,NULL);
INSERT INTO "outbox" VALUES('answer','answer:1',NULL,24,-1001234567890,'{"text": "<b>One</b> &amp; two", "keyboard": null}',1795348800000,1795352400000,NULL,1,NULL,'slowed down',77,0,0,NULL);
INSERT INTO "outbox" VALUES('answer','answer:2',NULL,25,-1001234567890,'{"text": "<b>One</b> &amp; two", "keyboard": null}',1795348800000,1795348800000,NULL,0,NULL,NULL,77,0,0,NULL);
INSERT INTO "outbox" VALUES('answer','answer:off',NULL,26,1003,'{"text": "<b>One</b> &amp; two", "keyboard": null}',1795348800000,1795348800000,NULL,1,1795348800000,'off',NULL,0,0,NULL);
INSERT INTO "outbox" VALUES('answer','answer:Forbidden: blocked',NULL,27,1004,'{"text": "<b>One</b> &amp; two", "keyboard": null}',1795348800000,1795348800000,NULL,1,1795348800000,'Forbidden: blocked',NULL,0,0,NULL);
CREATE TABLE paper_balances (
	account_id INTEGER NOT NULL, 
	asset TEXT NOT NULL, 
	free TEXT NOT NULL, 
	locked TEXT NOT NULL, 
	CONSTRAINT pk_paper_balances PRIMARY KEY (account_id, asset), 
	CONSTRAINT fk_paper_balances_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "paper_balances" VALUES(2,'USDT','39.5','0.5');
INSERT INTO "paper_balances" VALUES(2,'MX','12','0');
CREATE TABLE paper_orders (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	client_order_id TEXT NOT NULL, 
	symbol TEXT NOT NULL, 
	side VARCHAR(24) NOT NULL, 
	executed_base TEXT NOT NULL, 
	executed_quote TEXT NOT NULL, 
	fee_quote TEXT NOT NULL, 
	complete BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_paper_orders PRIMARY KEY (id), 
	CONSTRAINT fk_paper_orders_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id), 
	CONSTRAINT uq_paper_orders_account_id_client_order_id UNIQUE (account_id, client_order_id)
);
INSERT INTO "paper_orders" VALUES(1,2,'blpaper','MXUSDT','BUY','6','15.75','0.007875',0,1795348800000);
CREATE TABLE posts (
	name TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	held_until BIGINT NOT NULL, 
	CONSTRAINT pk_posts PRIMARY KEY (name)
);
INSERT INTO "posts" VALUES('poller','worker-1',1795348860000);
INSERT INTO "posts" VALUES('porter','worker-1',1795348860000);
CREATE TABLE processes (
	owner TEXT NOT NULL, 
	alive_until BIGINT NOT NULL, session TEXT, 
	CONSTRAINT pk_processes PRIMARY KEY (owner)
);
INSERT INTO "processes" VALUES('worker-1',1795348860000,'11 22 33');
INSERT INTO "processes" VALUES('worker-0',1795348740000,'');
CREATE TABLE requests (
	account_id INTEGER NOT NULL, 
	confirmation_id TEXT NOT NULL, 
	side VARCHAR(24) NOT NULL, 
	expected_quote TEXT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_requests PRIMARY KEY (account_id), 
	CONSTRAINT fk_requests_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "requests" VALUES(1,'rebalance-1','SELL','17.5',1795352400000);
CREATE TABLE strangers (
	user_id INTEGER NOT NULL, 
	refused_at BIGINT NOT NULL, 
	CONSTRAINT pk_strangers PRIMARY KEY (user_id)
);
INSERT INTO "strangers" VALUES(3003,1795348800000);
CREATE TABLE troubles (
	account_id INTEGER NOT NULL, 
	kind VARCHAR(24) NOT NULL, 
	detail TEXT NOT NULL, 
	since BIGINT NOT NULL, 
	last_at BIGINT NOT NULL, 
	count INTEGER NOT NULL, 
	told INTEGER NOT NULL, 
	told_kinds TEXT NOT NULL, kinds TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_troubles PRIMARY KEY (account_id), 
	CONSTRAINT fk_troubles_account_id_accounts FOREIGN KEY(account_id) REFERENCES accounts (id)
);
INSERT INTO "troubles" VALUES(1,'blocked','NothingFree',1795176000000,1795348800000,9,2,'blocked,clock','unreachable=1@2026-11-20T12:00:00+00:00,rate_limited=2@2026-11-20T12:00:00+00:00,host_refused=3@2026-11-20T12:00:00+00:00,bad_data=4@2026-11-20T12:00:00+00:00,stale_balance=5@2026-11-20T12:00:00+00:00,clock=6@2026-11-20T12:00:00+00:00,key_refused=7@2026-11-20T12:00:00+00:00,address_refused=8@2026-11-20T12:00:00+00:00,missing_permission=9@2026-11-20T12:00:00+00:00,account_restricted=10@2026-11-20T12:00:00+00:00,key_unreadable=11@2026-11-20T12:00:00+00:00,pair_unavailable=12@2026-11-20T12:00:00+00:00,order_refused=13@2026-11-20T12:00:00+00:00,not_filled=14@2026-11-20T12:00:00+00:00,blocked=15@2026-11-20T12:00:00+00:00,bad_fill=16@2026-11-20T12:00:00+00:00,internal=17@2026-11-20T12:00:00+00:00');
INSERT INTO "troubles" VALUES(2,'unreachable','',1795176000000,1795348800000,1,1,'','');
INSERT INTO "troubles" VALUES(3,'rate_limited','',1795176000000,1795348800000,1,1,'','');
INSERT INTO "troubles" VALUES(4,'host_refused','',1795176000000,1795348800000,1,1,'','');
INSERT INTO "troubles" VALUES(5,'bad_data','',1795176000000,1795348800000,1,1,'','');
CREATE INDEX ix_leases_owner ON leases (owner);
CREATE INDEX ix_audit_chat_id ON audit (chat_id);
CREATE INDEX ix_orders_account_id_created_at ON orders (account_id, created_at);
CREATE UNIQUE INDEX uq_orders_one_unresolved ON orders (account_id) WHERE state IN ('acked', 'needs_human', 'sending', 'unknown');
CREATE INDEX ix_cards_next_edit_at ON cards (next_edit_at);
CREATE INDEX ix_alert_settings_digest_due ON alert_settings (digest_due);
CREATE INDEX ix_decisions_account_id_id ON decisions (account_id, id);
CREATE INDEX ix_movements_account_id_at ON movements (account_id, at);
CREATE INDEX ix_inbox_waiting ON inbox (chat_id, rank, id) WHERE done_at IS NULL;
CREATE INDEX ix_inbox_claimed ON inbox (chat_id) WHERE claimed_until IS NOT NULL;
CREATE INDEX ix_outbox_waiting ON outbox (chat_id, rank, id) WHERE done_at IS NULL;
CREATE INDEX ix_outbox_claimed ON outbox (chat_id) WHERE claimed_until IS NOT NULL;
CREATE INDEX ix_orders_account_id_sent_at ON orders (account_id, sent_at);
CREATE INDEX ix_exchange_accounts_account_print ON exchange_accounts (account_print);
COMMIT;
