"""What may be done from the admin: asked for, confirmed, done and noted, each with its permission."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from signalpost.django.admin.rows import RowAdmin, as_number

#: How many rows one request may be about. More is for the commands, which tell how far they are.
AT_ONCE = 1000
#: How many of them the confirmation lists.
LISTED = 20


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that is done to rows."""

    #: As in the address, in the names of the action and of ``has_<name>_permission``.
    name: str
    #: What the button says, and what the history does.
    verb: str
    past: str
    #: What will happen, for who is to confirm it.
    consequence: str
    #: Which rows it is for; the others stay as they are. None: all.
    states: Collection[str] | None
    #: What is said of rows that it has changed nothing about.
    otherwise: str
    #: Does it to one row of the database with that alias; says how many deliveries it was.
    run: Callable[[str, int], int]
    #: The command for more of them than a request can be about.
    command: str

    def is_for(self, row: Any) -> bool:
        """Whether there is anything to do to the row."""
        return self.states is None or row.state in self.states


class OperatingAdmin(RowAdmin):
    """Rows to which something can be done."""

    operations: ClassVar[tuple[Operation, ...]] = ()

    def get_urls(self) -> list[Any]:
        own: list[Any] = [
            path(
                f"{operation.name}/",
                self.admin_site.admin_view(self._view(operation)),
                name=self._address_name(operation),
            )
            for operation in self.operations
        ]
        return [*own, *super().get_urls()]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        context["operations"] = [
            (operation, self._address(request, operation))
            for operation in self.operations
            if obj is not None and operation.is_for(obj) and self.may(request, operation)
        ]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def may(self, request: HttpRequest, operation: Operation) -> bool:
        """Whether the user may do it. Who may not look at the rows may not."""
        allowed: Callable[[HttpRequest], bool] = getattr(self, f"has_{operation.name}_permission")
        return self.has_view_permission(request) and allowed(request)

    def ask_for(
        self, request: HttpRequest, operation: Operation, rows: QuerySet[Any]
    ) -> HttpResponse | None:
        """The page on which the user confirms it, for the rows that were chosen in the list."""
        if not self.may(request, operation):
            raise PermissionDenied
        return self._ask(request, operation, list(rows.values_list("pk", flat=True)[: AT_ONCE + 1]))

    # ------------------------------------------------------------------------------ the address

    def _view(self, operation: Operation) -> Callable[[HttpRequest], HttpResponse]:
        def view(request: HttpRequest) -> HttpResponse:
            if not self.may(request, operation):
                raise PermissionDenied
            back = HttpResponseRedirect(self._list_address(request))
            if request.method != "POST":
                return back
            ids = _ids(request.POST.get("ids", ""))
            if "confirmed" not in request.POST:
                return self._ask(request, operation, ids) or back
            if self._is_number_right(request, operation, ids):
                self._do(request, operation, ids)
            return back

        # Each row is a transaction of its own, as for the commands: in one around them all, workers
        # would wait for the last.
        return transaction.non_atomic_requests(using=self.using)(view)

    def _ask(
        self, request: HttpRequest, operation: Operation, ids: list[int]
    ) -> HttpResponse | None:
        if not self._is_number_right(request, operation, ids):
            return None
        found = list(self.get_queryset(request).filter(pk__in=ids))
        meant = [row for row in found if operation.is_for(row)]
        context = {
            **self.admin_site.each_context(request),
            "title": f"{operation.verb} {_counted(len(meant), self.opts)}?",
            "opts": self.opts,
            "operation": operation,
            "rows": meant[:LISTED],
            "unlisted": max(0, len(meant) - LISTED),
            "count": _counted(len(meant), self.opts),
            "notes": self.notes(operation, meant),
            "others": len(ids) - len(meant),
            "ids": ",".join(str(row.pk) for row in meant),
            "address": self._address(request, operation),
            "back": self._list_address(request),
            "using": None if self.using == DEFAULT_DB_ALIAS else self.using,
        }
        request.current_app = self.admin_site.name  # as Django does
        return TemplateResponse(request, "admin/signalpost/confirm.html", context)

    def _is_number_right(
        self, request: HttpRequest, operation: Operation, ids: Collection[int]
    ) -> bool:
        problem = None
        if not ids:  # and never all, which no ids would be elsewhere
            problem = f"No {self.opts.verbose_name_plural} were chosen."
        elif len(ids) > AT_ONCE:
            problem = (
                f"More than {AT_ONCE:,} {self.opts.verbose_name_plural} were chosen. Choose fewer, or "
                f"run: {operation.command}"
            )
        if problem is not None:
            self.message_user(request, f"{problem} Nothing was changed.", messages.WARNING)
        return problem is None

    def _do(self, request: HttpRequest, operation: Operation, ids: list[int]) -> None:
        rows = {row.pk: row for row in self.get_queryset(request).filter(pk__in=ids)}
        changed: dict[int, int] = {}
        try:
            for pk in ids:
                count = operation.run(self.using, pk) if pk in rows else 0
                if count:
                    changed[pk] = count
        finally:  # what was done is noted, whatever the next one met
            self._note(request, operation, [rows[pk] for pk in changed])
        self.message_user(
            request,
            self._outcome(operation, changed, len(ids)),
            messages.SUCCESS if changed else messages.WARNING,
        )

    def _note(self, request: HttpRequest, operation: Operation, rows: Iterable[Any]) -> None:
        from django.contrib.admin.models import CHANGE, LogEntry

        listed: Any = list(rows)
        user: Any = request.user
        if not listed:
            return
        where = "" if self.using == DEFAULT_DB_ALIAS else f" on database '{self.using}'"
        LogEntry.objects.log_actions(user.pk, listed, CHANGE, f"{operation.past}{where}.")

    def _outcome(self, operation: Operation, changed: dict[int, int], asked: int) -> str:
        text = f"{operation.past} {_counted(len(changed), self.opts)}."
        rest = asked - len(changed)
        return f"{text} Of {rest:,} it did nothing: {operation.otherwise}." if rest else text

    def notes(self, operation: Operation, rows: list[Any]) -> list[str]:
        """What more there is to know before it is confirmed."""
        return []

    # -------------------------------------------------------------------------------- addresses

    def _address_name(self, operation: Operation) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{operation.name}"

    def _address(self, request: HttpRequest, operation: Operation) -> str:
        return self._with_filters(request, self._address_name(operation))

    def _list_address(self, request: HttpRequest) -> str:
        return self._with_filters(
            request, f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        )

    def _with_filters(self, request: HttpRequest, name: str) -> str:
        address = reverse(f"admin:{name}", current_app=self.admin_site.name)
        kept: Any = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return str(add_preserved_filters(kept, address))


def _ids(text: str) -> list[int]:
    """The numbers of a list that a form has sent, each once; what is none is left out."""
    numbers = (as_number(each.strip()) for each in text.split(","))
    return list(dict.fromkeys(number for number in numbers if number is not None))


def _counted(count: int, opts: Any) -> str:
    return f"{count:,} {opts.verbose_name if count == 1 else opts.verbose_name_plural}"
