"""Our verdict on MX in the words in which it can be compared with checkdmarc's."""

from __future__ import annotations

from mailguard.zone.survey import MxStatus, ZoneSurvey


def mx_status(survey: ZoneSurvey) -> MxStatus:
    """What the MX record set says, hosts not looked at and no address of the domain itself: that is all it is asked."""
    if survey.mx.absent:
        return MxStatus.NONE
    if survey.mx_status is MxStatus.INVALID and all(mx.exchange for mx in survey.mx.exchanges):
        return MxStatus.HOSTS
    return survey.mx_status
