"""mailflow-submit with jobs that wait: they share a session, and nothing of each other's fate."""
import pytest

from prober import PASSWORD, job, submit
from smtp_server import WITH_AUTH, WITH_TLS, Server, close, hang, raw, reply, reset

MESSAGES_MAXIMUM = 50


def jobs(port, count, **options):
    """With ids of their own; the number is the last letter's."""
    each = [job(port, number=number, **options) for number in range(1, count + 1)]
    for one in each:
        one["tag"] = {**one["tag"], "id": f"{'A' * 23}{chr(64 + one['number'] % 26 + 1)}"
                                          f"{chr(65 + one['number'] // 26)}A", "slot": one["number"]}
        one["recipient"] = f"probe{one['number']}@mx01.example"
    return each


def messages_of(session):
    return sum(command.startswith("MAIL") for command in session.commands)


def at_second(act, default):
    """Acts on a session's second message; on others it gives the plain answer."""
    return lambda session: (act if messages_of(session) == 2 else reply(default))(session)


def mail(act):
    return {"mail": [at_second(act, "250 2.1.0 Ok")]}


def content(act):
    return {"content": [at_second(act, "250 2.0.0 Ok: queued as 4FZXKQ1Y")]}


def results(done):
    return [each["result"] for each in done]


def test_waiting_jobs_share_a_session():
    with Server() as server:
        done, lines, _ = submit(*jobs(server.port, 3))
    assert [each["number"] for each in done] == [1, 2, 3]
    assert [line["result"] for line in lines] == ["content", "accepted"] * 3
    verbs = [command.split(" ")[0] for command in server.session.commands]
    assert verbs == ["EHLO", *["MAIL", "RCPT", "DATA"] * 3, "QUIT"]
    assert [command for command in server.session.commands if command.startswith("RCPT")] == [
        f"RCPT TO:<probe{number}@mx01.example> NOTIFY=FAILURE,DELAY" for number in (1, 2, 3)]


def test_each_is_stamped_and_timed_at_its_own_content():
    pauses = {"data": [lambda session: session.server.over.wait(0.1), reply("354 go on")]}
    with Server(pauses) as server:
        done, _, _ = submit(*jobs(server.port, 3))
    for before, after in zip(done, done[1:]):
        assert before["accepted"]["instant"] <= after["sent"]["instant"]
        assert after["sent"]["instant"] - before["sent"]["instant"] >= 100_000_000
    assert all(each["legs"]["submit"] >= 100_000_000 for each in done)
    assert done[0]["legs"]["connect"] > 0
    for each in done[1:]:
        assert [each["legs"][leg] for leg in ("dns", "connect", "tls", "auth")] == [-1] * 4


def test_other_relays_users_and_names_have_sessions_of_their_own():
    with Server(ehlo=WITH_AUTH) as server, Server() as other:
        first, second, third, fourth = jobs(server.port, 4)
        second["relay"] = {**second["relay"], "user": "probe", "password": PASSWORD}
        third["relay"] = {**third["relay"], "port": other.port}
        fourth["ehlo"] = "mx03.example"
        done, _, _ = submit(first, second, third, fourth)
        assert results(done) == ["accepted"] * 4
    assert [messages_of(session) for session in server.sessions] == [1, 1, 1]
    assert messages_of(other.session) == 1


def test_a_session_takes_a_bounded_number_of_messages():
    with Server() as server:
        done, _, _ = submit(*jobs(server.port, MESSAGES_MAXIMUM + 1))
    assert results(done) == ["accepted"] * (MESSAGES_MAXIMUM + 1)
    assert [messages_of(session) for session in server.sessions] == [MESSAGES_MAXIMUM, 1]


def test_one_handshake_for_all(certificates):
    with Server(ehlo=WITH_TLS, certificate=certificates.right) as server:
        done, _, _ = submit(*jobs(server.port, 3, tls="starttls", ca_file=certificates.ca_file))
    assert results(done) == ["accepted"] * 3
    assert sum(command == "STARTTLS" for command in server.session.commands) == 1
    assert done[0]["certificate"] == done[2]["certificate"] and done[2]["legs"]["tls"] == -1


@pytest.mark.parametrize("script", [
    mail(reply("421 4.7.0 too many messages in this session")),
    mail(reply("452 4.5.3 no more of this")),
    mail(reply("550 5.7.1 no")),
    mail(close()),
    mail(reset()),
    mail(raw(b"garbage\r\n")),
    {"rcpt": [at_second(reply("450 4.2.0 slow down"), "250 2.1.5 Ok")]},
    {"data": [at_second(reply("451 4.3.0 slow down"), "354 go on")]},
    content(reply("451 4.3.0 enough of this session")),
])
def test_who_is_refused_in_a_session_of_others_gets_one_of_its_own(script):
    """What such a server has against a second message says nothing of the job."""
    with Server(script) as server:
        done, _, _ = submit(*jobs(server.port, 3))
    assert [each["number"] for each in done] == [1, 2, 3]
    assert results(done) == ["accepted"] * 3
    assert all(each["cause"] == "" and each["transcript"] == "" for each in done)
    assert [messages_of(session) for session in server.sessions] == [2, 2, 1]
    assert [each["legs"]["connect"] > 0 for each in done] == [True, True, True]


def test_who_is_refused_for_itself_is_refused_alone():
    def refuse_the_second(session):
        of_second = "probe2@" in session.commands[-1]
        session.send(b"550 5.1.1 nobody\r\n" if of_second else b"250 2.1.5 Ok\r\n")

    with Server({"rcpt": [refuse_the_second]}) as server:
        done, _, _ = submit(*jobs(server.port, 3))
    assert results(done) == ["accepted", "refused", "accepted"]
    assert done[1]["reply"] == "550 5.1.1 nobody" and done[1]["code"] == 550
    assert "probe1@" not in done[1]["transcript"]
    assert [messages_of(session) for session in server.sessions] == [2, 1, 1]


@pytest.mark.parametrize("act", [close(), reset()])
def test_a_content_without_an_answer_is_uncertain_and_not_repeated(act):
    with Server(content(act)) as server:
        done, lines, _ = submit(*jobs(server.port, 3))
    assert results(done) == ["accepted", "uncertain", "accepted"]
    assert "in the session of earlier probes" in done[1]["transcript"]
    assert [messages_of(session) for session in server.sessions] == [2, 1]
    assert [line["result"] for line in lines if line["number"] == 2] == ["content", "uncertain"]


def test_each_has_its_own_deadline():
    with Server(mail(hang())) as server:
        first, second, third = jobs(server.port, 3)
        soon = job(server.port, seconds=1.0)["deadline"]
        done, _, _ = submit(first, {**second, "deadline": soon}, third)
    assert results(done) == ["accepted", "refused", "accepted"]
    assert done[1]["class"] == "timeout"


def test_a_job_whose_deadline_has_passed_does_not_hold_up_the_rest():
    with Server() as server:
        first, second, third = jobs(server.port, 3)
        done, _, _ = submit(first, {**second, "deadline": 1}, third)
    assert results(done) == ["accepted", "refused", "accepted"]
    assert done[1]["cause"] == "the deadline had passed before the session began"


def test_what_came_unasked_ends_the_session():
    """Else it would be taken for the answer to the next message."""
    script = {"content": [raw(b"250 2.0.0 Ok: queued as 4FZXKQ1Y\r\n250 2.0.0 and more\r\n")]}
    with Server(script) as server:
        done, _, _ = submit(*jobs(server.port, 2))
    assert results(done) == ["accepted"] * 2
    assert [messages_of(session) for session in server.sessions] == [1, 1]


def test_lines_between_that_are_no_jobs_are_answered():
    with Server() as server:
        first, second = jobs(server.port, 2)
        done, _, process = submit(first, {"number": 7}, second)
    assert [each["number"] for each in done] == [1, 7, 2]
    assert results(done) == ["accepted", "refused", "accepted"]
    assert b"job: " in process.stderr
    assert [messages_of(session) for session in server.sessions] == [1, 1]
