"""ChirpStack's DeviceService over a `NetworkServer`.

ChirpStack's quirks included: with an admin's key GetQueue and FlushQueue of an unknown device
succeed, Enqueue runs into the database's foreign key, and f_port is cut to eight bits.
Source: chirpstack/src/api/device.rs, chirpstack/src/storage/device_queue.rs.
"""

# ruff: noqa: N802 -- the methods are named by the protocol.

from typing import Any

import grpc
from chirpstack_api import api, common
from google.protobuf.empty_pb2 import Empty

from lorawan.chirpstack.wire import from_timestamp, to_timestamp
from lorawan.network import ListedDevice, NetworkError, NetworkUnknown, QueueItem
from simulation.world.server.access import Rights, refuse
from simulation.world.server.backend_calls import BackendCalls, abort_as, checked_eui, one_page

NEVER_AT = 253_402_300_799.0
"""Unix seconds of the last second of the year 9999: an item without expires_at."""

_NO_KEY = "0" * 32


class DeviceServicer(api.DeviceServiceServicer):  # type: ignore[misc]
    """Queue, activation and listing of devices."""

    def __init__(self, calls: BackendCalls) -> None:
        self._calls = calls

    def Enqueue(self, request: Any, context: grpc.ServicerContext) -> Any:
        """One item into the queue; the client's own id is ignored."""
        rights = self._calls.access.enter(context, changes=True)
        if not request.HasField("queue_item"):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "queue_item is missing")
        item = request.queue_item
        dev_eui = checked_eui(context, item.dev_eui)
        f_port = item.f_port & 0xFF
        if f_port == 0:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "FPort must be between 1 - 255")
        if item.is_encrypted and item.f_cnt_down == 0:
            text = "FCntDown must be set for encrypted queue-items"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)
        if item.confirmed or item.is_encrypted or item.HasField("object"):
            text = "only unconfirmed items with plain data are simulated"
            context.abort(grpc.StatusCode.UNIMPLEMENTED, text)
        expires_at = from_timestamp(item.expires_at) if item.HasField("expires_at") else NEVER_AT
        backend = self._calls.backend

        async def enqueue() -> str:
            if request.flush_queue:
                await backend.flush(dev_eui)
            return await backend.enqueue(
                dev_eui, f_port=f_port, data=item.data, expires_at=expires_at
            )

        try:
            return api.EnqueueDeviceQueueItemResponse(id=self._calls.bridge.call(enqueue))
        except NetworkUnknown as error:
            if rights is Rights.TENANT:
                refuse(context)
            text = (
                'insert or update on table "device_queue_item" violates foreign key constraint'
                f' "device_queue_item_dev_eui_fkey" ({error})'
            )
            context.abort(grpc.StatusCode.INTERNAL, text)
        except NetworkError as error:
            abort_as(context, rights, error)

    def GetQueue(self, request: Any, context: grpc.ServicerContext) -> Any:
        """What waits, oldest first; `count_only` is ignored."""
        rights = self._calls.access.enter(context)
        dev_eui = checked_eui(context, request.dev_eui)
        try:
            items = self._calls.bridge.call(self._calls.backend.queue, dev_eui)
        except NetworkUnknown:
            if rights is Rights.TENANT:
                refuse(context)
            items = ()
        except NetworkError as error:
            abort_as(context, rights, error)
        return api.GetDeviceQueueItemsResponse(
            total_count=len(items), result=[_queue_item(dev_eui, item) for item in items]
        )

    def FlushQueue(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Everything goes, pending items too."""
        rights = self._calls.access.enter(context, changes=True)
        dev_eui = checked_eui(context, request.dev_eui)
        try:
            self._calls.bridge.call(self._calls.backend.flush, dev_eui)
        except NetworkUnknown:
            if rights is Rights.TENANT:
                refuse(context)
        except NetworkError as error:
            abort_as(context, rights, error)
        return Empty()

    def GetActivation(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The session, without `device_activation` when the device never joined."""
        rights = self._calls.access.enter(context)
        dev_eui = checked_eui(context, request.dev_eui)
        activation = self._calls.ask(context, rights, self._calls.backend.activation, dev_eui)
        if activation is None:
            return api.GetDeviceActivationResponse()
        return api.GetDeviceActivationResponse(
            device_activation=api.DeviceActivation(
                dev_eui=dev_eui,
                dev_addr=activation.dev_addr,
                app_s_key=_NO_KEY,
                nwk_s_enc_key=_NO_KEY,
                s_nwk_s_int_key=_NO_KEY,
                f_nwk_s_int_key=_NO_KEY,
                f_cnt_up=activation.f_cnt_up,
                n_f_cnt_down=activation.f_cnt_down,
            )
        )

    def GetNextFCntDown(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The counter of the next downlink; 0 for a device that never joined."""
        rights = self._calls.access.enter(context)
        dev_eui = checked_eui(context, request.dev_eui)
        activation = self._calls.ask(context, rights, self._calls.backend.activation, dev_eui)
        return api.GetDeviceNextFCntDownResponse(
            f_cnt_down=activation.f_cnt_down if activation else 0
        )

    def List(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The devices of one application."""
        rights = self._calls.access.enter(context)
        if not request.application_id:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "application_id must be set")
        devices = self._calls.ask(context, rights, self._calls.backend.devices, "")
        found = [device for device in devices if _matches(device, request)]
        if request.order_by == api.ListDevicesRequest.DEV_EUI:
            found.sort(key=lambda device: device.dev_eui, reverse=request.order_by_desc)
        else:
            found.sort(key=lambda device: device.name, reverse=request.order_by_desc)
        page = one_page(found, request.limit, request.offset)
        return api.ListDevicesResponse(
            total_count=len(found), result=[_list_item(device) for device in page]
        )

    def Get(self, request: Any, context: grpc.ServicerContext) -> Any:
        """One device, seen at its newest uplink that is still kept."""
        rights = self._calls.access.enter(context)
        dev_eui = checked_eui(context, request.dev_eui)
        state = self._calls.ask(context, rights, self._calls.backend.device, dev_eui)
        devices = self._calls.ask(context, rights, self._calls.backend.devices, "")
        device = next((device for device in devices if device.dev_eui == dev_eui), None)
        if device is None:
            abort_as(context, rights, NetworkUnknown(dev_eui))
        profile_class = self._calls.profile.device_class
        right = profile_class == common.DeviceClass.CLASS_C
        seen_at = state.last_seen_at
        return api.GetDeviceResponse(
            last_seen_at=None if seen_at is None else to_timestamp(seen_at),
            device=api.Device(
                dev_eui=device.dev_eui,
                name=device.name,
                application_id=device.application_id,
                device_profile_id=device.device_profile_id,
                is_disabled=state.disabled,
                tags=device.tags,
            ),
            class_enabled=(
                common.DeviceClass.Value(state.device_class) if right else profile_class
            ),
        )


def _matches(device: ListedDevice, request: Any) -> bool:
    return (
        device.application_id == request.application_id
        and request.device_profile_id in ("", device.device_profile_id)
        and request.search.lower() in device.name.lower()
        and all(device.tags.get(name) == value for name, value in request.tags.items())
    )


def _list_item(device: ListedDevice) -> Any:
    return api.DeviceListItem(
        dev_eui=device.dev_eui,
        name=device.name,
        device_profile_id=device.device_profile_id,
        device_profile_name=device.device_profile_name,
        tags=device.tags,
    )


def _queue_item(dev_eui: str, item: QueueItem) -> Any:
    expires = item.expires_at is not None and item.expires_at != NEVER_AT
    return api.DeviceQueueItem(
        id=item.id,
        dev_eui=dev_eui,
        confirmed=item.confirmed,
        f_port=item.f_port,
        data=item.data,
        is_pending=item.is_pending,
        f_cnt_down=item.f_cnt_down,
        expires_at=to_timestamp(item.expires_at or 0.0) if expires else None,
    )
