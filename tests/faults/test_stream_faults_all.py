"""Which tests hold what streams may do wrong: none of the 23 classes is forgotten."""

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
WHOLE = "tests/faults/test_stream_faults.py"
STREAM, CONNECTING = "tests/exchange/test_stream.py", "tests/exchange/test_stream_connecting.py"
FLEET, KEEPER = "tests/unit/test_fleet.py", "tests/unit/test_key_keeper.py"
LIVE, KEYS = "tests/engine/test_live_accounts.py", "tests/engine/test_listen_keys.py"
ACCOUNTS, PUSHED = "tests/engine/test_account_streams.py", "tests/exchange/test_push_messages.py"
E2E = "tests/e2e/test_streams.py"
HELD_BY: Mapping[str, Sequence[tuple[str, str]]] = {
    "01 deaf": [
        (
            WHOLE,
            "test_fault_01_a_deaf_stream_is_found_out_by_the_poll_and_the_change_is_traded_once",
        ),
        (LIVE, "test_an_event_that_was_lost_is_found_by_the_poll_and_costs_trust"),
        (LIVE, "test_a_stream_that_says_nothing_of_our_own_order_is_deaf"),
        (FLEET, "test_a_stream_that_is_deaf_gets_a_new_key_and_then_its_account_is_polled_alone"),
    ],
    "02 dead": [
        (WHOLE, "test_fault_02_and_03_a_dead_stream_is_replaced_within_25_seconds"),
        (STREAM, "test_whoever_is_silent_is_left_within_25_seconds"),
    ],
    "03 half-open": [
        (WHOLE, "test_fault_02_and_03_a_dead_stream_is_replaced_within_25_seconds"),
        (STREAM, "test_closing_a_half_open_connection_takes_two_seconds_at_most"),
    ],
    "04 gap": [
        (WHOLE, "test_fault_04_an_event_before_which_one_is_missing_is_no_number_to_trade_on"),
        (LIVE, "test_an_event_before_which_one_is_missing_is_looked_at"),
    ],
    "05 duplicate": [
        (WHOLE, "test_fault_05_06_and_21_whatever_tells_it_a_change_is_one_check_and_one_order"),
        (LIVE, "test_each_event_twice_is_one_check"),
    ],
    "06 reorder": [
        (WHOLE, "test_fault_05_06_and_21_whatever_tells_it_a_change_is_one_check_and_one_order"),
        (LIVE, "test_of_frames_that_come_the_wrong_way_round_the_newer_one_stays"),
    ],
    "07 expired key": [
        (WHOLE, "test_fault_07_an_expired_key_is_replaced_once_and_nothing_is_lost"),
        (ACCOUNTS, "test_after_a_key_has_expired_the_fleet_gets_one_new_key_and_one_connection"),
        (KEYS, "test_an_unknown_key_is_in_doubt_and_the_next_stream_has_a_new_one"),
    ],
    "08 24 hours": [
        (WHOLE, "test_fault_08_in_a_day_and_more_no_stream_ends_and_no_event_is_missed"),
        (FLEET, "test_a_connection_is_renewed_within_a_day_without_a_gap"),
    ],
    "09 garbage": [
        (WHOLE, "test_fault_09_garbage_ends_the_connection_and_costs_a_read"),
        (STREAM, "test_all_odd_frames_are_read_or_dropped_and_none_ends_the_stream"),
        (STREAM, "test_three_unreadable_frames_within_a_minute_end_the_stream"),
        (PUSHED, "test_any_bytes_are_read_or_refused"),
    ],
    "10 flood": [
        (WHOLE, "test_fault_10_a_flood_of_one_account_is_six_checks_a_minute_and_holds_up_nobody"),
        (LIVE, "test_whoever_trades_by_hand_all_the_time_has_six_event_checks_a_minute"),
    ],
    "11 refused": [
        (
            WHOLE,
            "test_fault_11_a_refused_subscription_is_polled_and_asked_for_again_after_minutes",
        ),
        (STREAM, "test_only_the_very_channel_as_an_answer_is_an_acknowledgement"),
        (FLEET, "test_channels_that_are_not_acknowledged_are_asked_for_after_minutes"),
    ],
    "12 herd": [
        (
            E2E,
            "test_while_all_streams_are_cut_again_and_again_orders_are_as_fast_and_nothing_is_refused",
        ),
        (FLEET, "test_a_thousand_that_are_cut_at_once_are_one_incident_and_back_within_a_minute"),
        (FLEET, "test_no_more_than_twenty_connections_are_begun_in_a_second"),
    ],
    "13 REST behind": [
        (WHOLE, "test_fault_13_while_what_is_read_lags_behind_nothing_is_ordered_on_it"),
        (
            LIVE,
            "test_where_what_is_read_lags_behind_nothing_is_ordered_before_it_shows_the_change",
        ),
    ],
    "14 REST ahead": [
        (WHOLE, "test_fault_14_an_event_that_comes_after_its_change_was_read_is_no_second_order"),
        (LIVE, "test_an_event_that_comes_after_a_poll_saw_its_change_makes_no_second_check"),
    ],
    "15 own echo": [
        (
            WHOLE,
            "test_fault_15_the_frames_of_our_own_order_cause_no_order_in_whatever_order_they_come",
        ),
        (LIVE, "test_whatever_order_an_orders_own_frames_come_in_none_causes_another_order"),
        (LIVE, "test_what_our_own_order_did_is_not_looked_at_again"),
    ],
    "16 two owners": [
        (WHOLE, "test_fault_16_of_two_owners_one_orders_and_the_other_closes"),
        (LIVE, "test_a_stream_of_another_owner_is_not_heard"),
    ],
    "17 clock": [
        (WHOLE, "test_fault_17_a_clock_that_is_set_asks_for_no_key_and_changes_nothing"),
        (WHOLE, "test_fault_17_after_a_sleep_of_two_hours_all_is_read_again_at_once"),
        (FLEET, "test_after_the_machine_slept_no_stream_is_believed"),
        (KEEPER, "test_a_wall_clock_that_is_set_makes_nothing_due"),
    ],
    "18 cool-down": [
        (WHOLE, "test_fault_18_in_a_cool_down_no_key_is_extended_and_afterwards_none_is_lost"),
        (KEEPER, "test_in_a_silence_nothing_is_sent_and_then_the_oldest_goes_first"),
    ],
    "19 no right": [
        (WHOLE, "test_fault_19_a_key_without_the_right_has_no_stream_and_is_polled"),
        (KEYS, "test_who_may_not_have_a_key_is_told_so"),
        (FLEET, "test_a_key_without_the_right_is_not_asked_again_for_an_hour"),
    ],
    "20 kill -9": [
        (WHOLE, "test_fault_20_killed_at_any_step_it_trades_once_and_leaves_one_key_at_most"),
        (WHOLE, "test_fault_20_killed_sixty_times_in_an_hour_it_is_polled_and_never_crashes"),
        (KEYS, "test_killed_at_any_step_it_leaves_one_key_behind_at_most"),
    ],
    "21 stalled loop": [
        (WHOLE, "test_fault_05_06_and_21_whatever_tells_it_a_change_is_one_check_and_one_order"),
        (LIVE, "test_events_of_a_stalled_moment_are_one_check"),
    ],
    "22 proxy": [
        (WHOLE, "test_fault_22_behind_a_proxy_that_fails_the_waits_grow_and_no_key_is_made"),
        (WHOLE, "test_fault_22_a_proxy_that_idles_out_at_a_minute_costs_a_read_each_time"),
        (CONNECTING, "test_a_failing_proxy_is_no_connection_and_tells_no_secret"),
    ],
    # And each test of WHOLE looks for it at its end.
    "23 listen key in logs": [
        (CONNECTING, "test_no_log_shows_a_key_whatever_happens"),
        (KEYS, "test_no_failure_shows_a_key_or_an_address_with_one"),
        (ACCOUNTS, "test_no_failure_of_a_stream_shows_its_key"),
    ],
}


def test_every_class_of_faults_is_held_by_tests_that_exist():
    assert [int(name[:2]) for name in HELD_BY] == [*range(1, 24)]
    assert not [
        held for tests in HELD_BY.values() for held in tests if held[1] not in _tests_in(held[0])
    ]


@cache
def _tests_in(module: str) -> frozenset[str]:
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))
