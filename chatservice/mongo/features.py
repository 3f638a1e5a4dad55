"""What MongoDB can do, in Django's terms."""

from djongo import features as djongo_features


class DatabaseFeatures(djongo_features.DatabaseFeatures):
    minimum_database_version = (6,)

    # Django's tests flush the collections instead of rolling back.
    supports_transactions = False
    atomic_transactions = False
    can_rollback_ddl = False
    # They undo nothing, see base.py; but an IntegrityError caught inside a block, as in
    # get_or_create(), must not make the block around it unusable.
    uses_savepoints = True

    supports_timezones = True
    has_native_uuid_field = True
    has_native_json_field = True
    supports_json_field_contains = False
    has_json_object_function = False

    can_return_columns_from_insert = True
    can_return_rows_from_bulk_insert = True
    supports_ignore_conflicts = True
    supports_expression_defaults = False
    supports_default_keyword_in_insert = False
    supports_default_keyword_in_bulk_insert = False
    supports_unspecified_pk = True

    supports_foreign_keys = False
    supports_table_check_constraints = False
    supports_column_check_constraints = False
    can_introspect_check_constraints = False
    supports_nulls_distinct_unique_constraints = True
    supports_expression_indexes = False
    supports_functions_in_partial_indexes = False
    supports_collation_on_charfield = False
    supports_collation_on_textfield = False
    allows_multiple_constraints_on_same_fields = False

    allows_group_by_select_index = False
    order_by_nulls_first = True
    supports_aggregate_filter_clause = True
    supports_select_union = False
    supports_select_intersection = False
    supports_select_difference = False
    supports_tuple_lookups = False
    ignores_unnecessary_order_by_in_subqueries = False

    can_clone_databases = False
    test_db_allows_multiple_connections = True
