"""The codes of reasons. They are stored, and callers rely on them: none is renamed."""

from enum import StrEnum


class ReasonCode(StrEnum):
    """Why something waits, failed or ended; docs/fields.md has values and sentence of each."""

    OTHER = "other"
    """A sentence without a code: of an older version, or of a newer one whose code is unknown."""

    # ------------------------------------------------------------------ a frame is not out yet

    GATEWAYS_OFFLINE = "gateways_offline"
    AIRTIME_USED_UP = "airtime_used_up"
    CHIRPSTACK_NO_ANSWER = "chirpstack_no_answer"
    KEY_REFUSED = "key_refused"
    ACCESS_DENIED = "access_denied"
    LIGHT_DISABLED = "light_disabled"
    CLASS_A = "class_a"
    CLASS_A_UNTIL_JOIN = "class_a_until_join"
    FOREIGN_ITEM = "foreign_item"
    FOREIGN_ITEM_PENDING = "foreign_item_pending"
    CHIRPSTACK_FAILS = "chirpstack_fails"
    GATEWAY_TURN = "gateway_turn"
    GATEWAYS_SUSPECTED = "gateways_suspected"
    GATEWAYS_UNPROVEN = "gateways_unproven"
    NO_TXACK = "no_txack"
    NOT_SENT_YET = "not_sent_yet"
    GATEWAY_REFUSED_FRAME = "gateway_refused_frame"
    FRAMES_SPACED = "frames_spaced"
    ASKED_AGAIN = "asked_again"
    RX2_CHANGED = "rx2_changed"
    COMMAND_ENDS = "command_ends"
    EARLIER_ITEM = "earlier_item"
    NO_UPLINK_SINCE_JOIN = "no_uplink_since_join"
    NEVER_JOINED = "never_joined"
    BEING_ASKED = "being_asked"
    WAITS_FOR_TIME = "waits_for_time"
    STORE_RESTORED = "store_restored"
    STORE_SET_BACK = "store_set_back"

    # ------------------------------------------------------------------ a command waits

    NOT_REPORTED = "not_reported"
    SETTINGS_FIRST = "settings_first"
    SETTINGS_NOT_TAKEN = "settings_not_taken"
    JOINED_AGAIN = "joined_again"
    ANSWERS_NO_DOWNLINK = "answers_no_downlink"

    # ------------------------------------------------------------------ an attempt ended

    FRAME_NOT_TAKEN = "frame_not_taken"
    FRAME_EXPIRED = "frame_expired"
    FRAME_DISCARDED = "frame_discarded"
    LIGHT_UNKNOWN = "light_unknown"
    DOWNLINK_INVALID = "downlink_invalid"
    NO_ANSWER_IN_WINDOW = "no_answer_in_window"
    NOT_CARRIED_OUT = "not_carried_out"
    NO_PROOF = "no_proof"

    # ------------------------------------------------------------------ and another began

    TRIED_AGAIN = "tried_again"
    NO_GATEWAY_LISTENED = "no_gateway_listened"
    GATEWAY_HEARD_AGAIN = "gateway_heard_again"
    GATEWAY_BACK = "gateway_back"
    GATEWAY_ANSWERED_AGAIN = "gateway_answered_again"
    LIGHT_HEARD = "light_heard"
    OTHER_STATE_SHOWN = "other_state_shown"

    # ------------------------------------------------------------------ a command ended

    COMMAND_EXPIRED = "command_expired"
    TIME_TO_LIVE_OVER = "time_to_live_over"
    STATUS_SHOWS_COLOUR = "status_shows_colour"
    STATUS_SHOWS = "status_shows"
    COMMAND_WITHDRAWN = "command_withdrawn"
    WITHDRAWN_BEFORE = "withdrawn_before"
    NOTHING_SENT = "nothing_sent"
    MAY_STILL_BE_TAKEN = "may_still_be_taken"
    MAY_BE_TAKEN_AND_BROUGHT_BACK = "may_be_taken_and_brought_back"
    FRAME_IN_QUEUE = "frame_in_queue"
    FRAME_UNANSWERED = "frame_unanswered"
    FRAME_MAY_BE_IN_QUEUE = "frame_may_be_in_queue"
    FRAMES_UNANSWERED = "frames_unanswered"
    LIGHT_REMOVED = "light_removed"
    BY_HAND = "by_hand"
    NOT_LISTED = "not_listed"
    LIGHT_GONE = "light_gone"
    ACTOR_CRASHED = "actor_crashed"
    ACTOR_PARKED = "actor_parked"

    # ------------------------------------------------------------------ a rollout, or a light of it

    ROLLOUT_OVERTAKEN = "rollout_overtaken"
    ROLLOUT_OVERTAKEN_BEFORE = "rollout_overtaken_before"
    ROLLOUT_REJECTED = "rollout_rejected"
    ROLLOUT_EXPIRED = "rollout_expired"
    ROLLOUT_OVERDUE = "rollout_overdue"
    ROLLOUT_NOT_COMMANDED = "rollout_not_commanded"
    ROLLOUT_RECORD_UNREADABLE = "rollout_record_unreadable"
    ROLLOUT_COMMAND_LOST = "rollout_command_lost"
    ROLLOUT_FAILURES = "rollout_failures"
    ROLLOUT_CANCELLED = "rollout_cancelled"

    @classmethod
    def _missing_(cls, value: object) -> "ReasonCode | None":
        """A code of a newer version, in a record that this one has to read."""
        return cls.OTHER if isinstance(value, str) else None
