// What findings with several sessions share; it is copied beside them, where `pg` is installed.
const { Client } = require("pg");

// To the server that runs, or to what the options name.
exports.connect = async function (options) {
    const client = new Client(options);
    await client.connect();
    return client;
};

// The SQLSTATE of a query's error, or "none".
exports.code = (query) => query.then(() => "none", (error) => error.code);

// Waits until the standby has replayed all that the primary has written before.
exports.replayed = async function (primary, standby) {
    const { now } = (await primary.query("SELECT pg_current_wal_lsn() AS now")).rows[0];
    while (!(await standby.query("SELECT pg_last_wal_replay_lsn() >= $1 AS seen", [now])).rows[0].seen);
};

// Subscribes the database of `there` to the publication p of `here`, and returns what waits until the subscriber has
// confirmed all that was written before.
exports.subscribe = async function (here, there) {
    await here.query("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
    await there.query(`CREATE SUBSCRIPTION s CONNECTION 'host=${process.env.PGHOST} user=postgres dbname=postgres'
        PUBLICATION p WITH (create_slot = false)`);
    return async () => {
        const { now } = (await here.query("SELECT pg_current_wal_lsn() AS now")).rows[0];
        const state = "SELECT active AND confirmed_flush_lsn >= $1 AS done FROM pg_replication_slots WHERE slot_name = 's'";
        const ready = "SELECT bool_and(srsubstate = 'r') AS done FROM pg_subscription_rel";
        while (!(await here.query(state, [now])).rows[0].done || !(await there.query(ready)).rows[0].done) await new Promise(setImmediate);
    };
};
