package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"items-api/internal/api"
	"items-api/internal/seeds"
)

func code(err error) api.Code {
	var e *api.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return api.Code(fmt.Sprint(err))
}

func TestActionsAreThoseOfTheCalls(t *testing.T) {
	t.Parallel()
	want := []string{
		"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem",
		"dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
	}
	if diff := cmp.Diff(want, Actions()); diff != "" {
		t.Error(diff)
	}
}

func TestThrottlingIsUnavailableAndRefusalsAreInternal(t *testing.T) {
	t.Parallel()
	for want, errs := range map[api.Code][]error{
		api.Unavailable: {&types.ProvisionedThroughputExceededException{Message: aws.String("x")}, &types.InternalServerError{}, &types.TransactionConflictException{}, errors.New("no answer")},
		api.Internal:    {&types.ResourceNotFoundException{}, &types.ItemCollectionSizeLimitExceededException{}},
	} {
		for _, err := range errs {
			if got := failed("testing", err); code(got) != want {
				t.Errorf("%v became %v", err, got)
			}
		}
	}
}

func FuzzCursor(f *testing.F) {
	seeds.Add(f)
	text, err := encodeCursor("a", uuid.Must(uuid.NewV7()).String())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := CheckCursor("a", text); err == nil && !api.ValidID(id) {
			t.Errorf("%q gave %q", text, id)
		}
	})
}
