// What findings with several sessions share; it is copied beside them, where `pg` is installed.
const { Client } = require("pg");

exports.connect = async function () {
    const client = new Client();
    await client.connect();
    return client;
};

// The SQLSTATE of a query's error, or "none".
exports.code = (query) => query.then(() => "none", (error) => error.code);
