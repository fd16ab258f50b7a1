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
