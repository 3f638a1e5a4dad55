"""Django's admin, on Django's own models, through its pages."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.urls import reverse

pytestmark = [pytest.mark.django_db, pytest.mark.urls("chatservice.mongo.tests.admin_urls")]


@pytest.fixture
def admin(client, moira):
    """A browser in which Moira is logged in."""
    client.force_login(moira.user)
    assert Session.objects.count() == 1
    return client


@pytest.fixture
def log(moira):
    """Thirteen entries of the admin's log over two years."""
    kinds = list(ContentType.objects.order_by("pk")[:3])
    moments = [datetime(2024 + n // 7, 1 + n % 7, 1 + n, 22, tzinfo=UTC) for n in range(13)]
    for number, moment in enumerate(moments):
        LogEntry.objects.create(
            user=moira.user,
            content_type=kinds[number % 3],
            object_id=str(number),
            object_repr=f"thing {number} 100%",
            action_flag=ADDITION if number % 2 else CHANGE,
            action_time=moment,
        )
    LogEntry.objects.filter(action_time__year__gt=2025).delete()  # what auto_now made of one
    return LogEntry.objects


def page(admin, model, **query):
    """The text of a change list, and how many rows it says there are."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    response = admin.get(address, query)
    assert response.status_code == 200, response.content.decode()[:2000]
    text = response.content.decode()
    return text, response.context["cl"].result_count


def test_index(admin):
    assert "Groups" in admin.get("/admin/").content.decode()


def test_log_in_with_a_wrong_password(client, moira):
    response = client.post("/admin/login/", {"username": moira.email, "password": "wrong"})
    assert response.status_code == 200
    assert not Session.objects.exists()


def test_log_out(admin):
    admin.post("/admin/logout/")
    assert admin.get("/admin/").status_code == 302


def test_search(admin, log):
    assert page(admin, LogEntry, q="thing")[1] == 13
    assert page(admin, LogEntry, q='"THING 1 "')[1] == 1
    assert page(admin, LogEntry, q="100%")[1] == 13
    assert page(admin, LogEntry, q="th.ng")[1] == 0
    assert page(admin, LogEntry, q="moira@example")[1] == 13
    assert page(admin, LogEntry, q="nobody@example")[1] == 0


def test_filters(admin, log, moira):
    assert page(admin, LogEntry, action_flag=ADDITION)[1] == 6
    assert page(admin, LogEntry, action_flag__exact=CHANGE)[1] == 7
    assert page(admin, LogEntry, user__id__exact=moira.id)[1] == 13
    kind = log.first().content_type_id
    expected = log.filter(content_type=kind).count()
    assert page(admin, LogEntry, content_type__id__exact=kind)[1] == expected
    assert page(admin, Permission, content_type__app_label="auth")[1] == (
        Permission.objects.filter(content_type__app_label="auth").count()
    )


def test_order_and_pages(admin, log):
    first, _ = page(admin, LogEntry)
    assert "thing 12" in first
    assert "thing 3 " not in first
    second, _ = page(admin, LogEntry, p=2, o="1.2")
    assert "thing 5" in second
    by_user, _ = page(admin, LogEntry, o="-2.3")
    assert "thing" in by_user


def test_date_hierarchy(admin, log):
    text, _ = page(admin, LogEntry)
    assert re.findall(r"\?action_time__year=(\d+)\"", text) == ["2024", "2025"]
    text, count = page(admin, LogEntry, action_time__year=2024)
    assert count == 7
    assert "January" in text
    assert page(admin, LogEntry, action_time__year=2025, action_time__month=2)[1] == 1
    day = {"action_time__year": 2025, "action_time__month": 2, "action_time__day": 9}
    assert page(admin, LogEntry, **day)[1] == 1


def test_number_of_queries_does_not_grow_with_the_rows(admin, log, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        page(admin, LogEntry)


def test_add_change_history_delete(admin):
    some = list(Permission.objects.order_by("pk")[:3])
    response = admin.post(
        "/admin/auth/group/add/", {"name": "گروه", "permissions": [one.pk for one in some]}
    )
    assert response.status_code == 302, response.content.decode()
    group = Group.objects.get()
    assert set(group.permissions.all()) == set(some)

    address = f"/admin/auth/group/{group.pk}"
    text = admin.get(f"{address}/change/").content.decode()
    assert text.count(" selected>") == 3
    admin.post(f"{address}/change/", {"name": "readers", "permissions": [some[0].pk]})
    group.refresh_from_db()
    assert (group.name, list(group.permissions.all())) == ("readers", [some[0]])

    history = admin.get(f"{address}/history/").content.decode()
    assert "Added." in history
    assert "Changed Name and Permissions." in history

    text = admin.get(f"{address}/delete/").content.decode()
    assert "Group-permission relationship" in text
    assert admin.post(f"{address}/delete/", {"post": "yes"}).status_code == 302
    assert not Group.objects.exists()
    assert not Group.permissions.through.objects.exists()


def test_name_that_is_taken_is_an_error_of_the_form(admin):
    Group.objects.create(name="readers")
    text = admin.post("/admin/auth/group/add/", {"name": "readers"}).content.decode()
    assert "already exists" in text


def test_delete_action_with_its_page(admin):
    groups = [Group.objects.create(name=str(number)) for number in range(3)]
    selection = {
        "action": "delete_selected",
        "_selected_action": [group.pk for group in groups[:2]],
    }
    text = admin.post("/admin/auth/group/", selection).content.decode()
    assert "Are you sure" in text
    admin.post("/admin/auth/group/", selection | {"post": "yes"})
    assert list(Group.objects.all()) == [groups[2]]


def test_autocomplete(admin):
    response = admin.get(
        "/admin/autocomplete/",
        {
            "term": "gro",
            "app_label": "auth",
            "model_name": "permission",
            "field_name": "content_type",
        },
    )
    assert [one["text"] for one in response.json()["results"]] == [
        "Authentication and Authorization | group"
    ]


def test_an_object_that_is_not_there(admin):
    response = admin.get("/admin/auth/group/9999/change/", follow=True)
    assert "doesn’t exist" in response.content.decode()


def test_groups_and_permissions_of_a_person(moira, carol):
    group = Group.objects.create(name="readers")
    permission = Permission.objects.get(codename="view_group")
    group.permissions.add(permission)
    carol.user.groups.add(group)
    carol.user.user_permissions.add(Permission.objects.get(codename="add_group"))
    person = type(carol.user).objects.get(pk=carol.user.pk)
    assert person.get_all_permissions() == {"auth.view_group", "auth.add_group"}
    assert person.has_perm("auth.view_group")
    assert type(person).objects.filter(groups__permissions=permission).get() == person
