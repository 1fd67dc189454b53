"""A customer's own keys: where they are, who opened them, checking, choosing, rotating. API keys are in `org`."""

from typing import Any

from evenhand.app.http.call import Call
from evenhand.app.http.routes import route
from evenhand.features.keys import actions as keys
from evenhand.features.keys.types import Checked, KeysView, NewChoice, Rotation
from evenhand.infra.db import Tx


@route("GET", "/encryption", reply=KeysView)
async def show(call: Call, tx: Tx) -> Any:
    """Your keys: the key service, their versions, and who opened them"""
    return await keys.show_keys(call.db, tx)


@route("POST", "/encryption/check", reply=Checked, tx=False)
async def check(call: Call) -> Any:
    """Wrap and open a random key by your key service"""
    return await keys.check_keys(call.db, call.org_id, call.actor)


@route("PUT", "/encryption/service", body=NewChoice, reply=KeysView, tx=False, fresh=True)
async def choose(call: Call) -> Any:
    """Choose a key service for this space: this installation's, AWS KMS or Vault. It is tried before it counts"""
    return await keys.choose_service(call.db, call.org_id, call.actor, call.body)


@route("POST", "/encryption/rotate", body=Rotation, reply=KeysView, tx=False, fresh=True)
async def rotate(call: Call) -> Any:
    """A new version of your key, of the organisation's or of a project's"""
    return await keys.rotate(call.db, call.org_id, call.actor, call.body)
