//! Several hosts in one address.

use std::fs;

use migrate_tests::cluster::Cluster;

use super::{PASSWORD, Stage, close, free_port};

#[tokio::test(flavor = "multi_thread")]
async fn the_host_that_answers_is_the_one_that_is_named() {
    let stage = Stage::set().await;
    let (dead, port) = (free_port(), stage.port);
    let hosts =
        format!("host=first.example,db.example hostaddr=127.0.0.1,127.0.0.1 port={dead},{port}");
    let (code, text) = stage.status("tls", &hosts, &[]);
    assert!(code == 3 && text.starts_with(&format!("`postgres` on db.example:{port}, ")), "{text}");
    let (code, text) = stage.status("absent", &hosts, &[]);
    assert!(code == 1 && text.contains(&format!("`postgres` on db.example:{port}: ")), "{text}");
    let dead = format!("host=a.example,b.example hostaddr=127.0.0.1,127.0.0.1 port={dead},{dead}");
    let (code, text) = stage.status("tls", &dead, &[]);
    assert!(code == 1 && text.contains("a.example:") && text.contains("b.example:"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_sent_to_another_host() {
    let stage = Stage::set().await;
    let line = PASSWORD.replace('\\', "\\\\").replace(':', "\\:");
    let file = stage.folder.path().join(".pgpass");
    let hosts =
        format!("host=other.example,db.example hostaddr=127.0.0.1,127.0.0.1 port={}", stage.port);
    fs::write(&file, format!("db.example:*:*:secret:{line}\n")).expect("a file");
    close(&file);
    // As in libpq, the first host answers, and there is no password for it.
    stage.refuses("secret", &hosts, "give a password");
    fs::write(&file, format!("other.example:*:*:secret:{line}\n")).expect("a file");
    stage.connects("secret", &hosts);
}

#[tokio::test(flavor = "multi_thread")]
async fn target_session_attrs_has_the_words_of_libpq() {
    let primary = Cluster::create();
    let mut standby = primary.standby();
    let second = free_port();
    standby.set("listen_addresses=127.0.0.1");
    standby.set(&format!("port={second}"));
    standby.start();
    let stage = Stage::of(primary).await;
    let first = stage.port;
    #[rustfmt::skip]
    let rows = [
        ("any",            [first, second], Ok(first)),
        ("any",            [second, first], Ok(second)),
        ("read-write",     [second, first], Ok(first)),
        ("read-write",     [second, second], Err("its sessions are read-only")),
        ("read-only",      [first, second], Ok(second)),
        ("read-only",      [first, first], Err("its sessions are not read-only")),
        ("primary",        [second, first], Ok(first)),
        ("primary",        [second, second], Err("it is a standby")),
        ("standby",        [first, second], Ok(second)),
        ("standby",        [first, first], Err("it is not a standby")),
        ("prefer-standby", [first, second], Ok(second)),
        ("prefer-standby", [first, first], Ok(first)),
        ("prefer-primary", [first, second], Err("prefer-standby")),
    ];
    for (word, [one, other], expected) in rows {
        let settings = format!(
            "host=127.0.0.1,127.0.0.1 port={one},{other} target_session_attrs={word} sslmode=disable"
        );
        let (code, text) = stage.status("postgres", &settings, &[]);
        match expected {
            Ok(port) => {
                let head = format!("`postgres` on 127.0.0.1:{port}, ");
                assert!(code == 3 && text.starts_with(&head), "{word}: {text}");
            }
            Err(why) => assert!(code != 3 && text.contains(why), "{word}: {text}"),
        }
    }
}
